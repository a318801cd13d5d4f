//! Every operation, written down with the time from its request to its answer.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use portcullis_tests::Answer;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Request {
    Register,
    Verify,
    Reset,
    Me,
    Refresh,
    LogOut,
}

/// What is known of how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was done; of a refresh, the token that it gave.
    Done(String),
    Refused,
    /// It may have been done.
    Unknown,
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) request: Request,
    /// The account, and of the account the session.
    pub(super) scope: String,
    /// What there may be one winner of: an address, a token.
    pub(super) subject: String,
    pub(super) sent: Instant,
    pub(super) answered: Instant,
    pub(super) outcome: Outcome,
}

/// Everything that was asked.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Vec<Entry>>>);

impl Journal {
    pub(super) async fn note(
        &self,
        request: Request,
        scope: &str,
        subject: &str,
        answer: impl Future<Output = Answer>,
    ) -> Answer {
        let sent = Instant::now();
        let answer = answer.await;
        let outcome = match answer.status {
            200 | 201 | 204 if request == Request::Refresh => {
                Outcome::Done(answer.str("/refresh_token").to_owned())
            }
            200 | 201 | 204 => Outcome::Done(String::new()),
            503 => Outcome::Unknown,
            400 | 401 => Outcome::Refused,
            other => panic!("{request:?} of {scope}: {other} {answer:?}"),
        };
        let (scope, subject) = (scope.to_owned(), subject.to_owned());
        let answered = Instant::now();
        let entry = Entry { request, scope, subject, sent, answered, outcome };
        self.0.lock().unwrap().push(entry);
        answer
    }

    /// All that was written down so far.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }
}
