//! What whoever guards a connection learns of the requests on it.

use std::cell::Cell;
use std::rc::Rc;

/// The requests of one connection. Put into its data, it tells the guard of the
/// connection whether the server owes an answer or waits for the client.
#[derive(Clone, Debug, Default)]
pub struct Exchange(Rc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    begun: Cell<u64>,
    done: Cell<u64>,
    announced: Cell<u64>,
}

impl Exchange {
    /// Whether a request is being handled, its body being read included.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.0.begun.get() != self.0.done.get()
    }

    /// How many requests were handled so far.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.0.done.get()
    }

    /// How long the body of the latest request is, as its head announces it.
    #[must_use]
    pub fn announced(&self) -> u64 {
        self.0.announced.get()
    }

    /// The head of a request announces so long a body.
    pub fn announce(&self, length: u64) {
        self.0.announced.set(length);
    }

    /// A request begins; it is handled when the value goes away, however that
    /// comes about.
    #[must_use]
    pub fn begin(&self) -> UnderWay {
        self.0.begun.set(self.0.begun.get() + 1);
        UnderWay(self.clone())
    }
}

/// A request under way.
#[derive(Debug)]
pub struct UnderWay(Exchange);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let counts = &self.0.0;
        counts.done.set(counts.done.get() + 1);
    }
}
