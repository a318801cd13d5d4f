//! What a service does instead of what it is asked.

use std::time::Duration;

/// What happens to a request instead of its being answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with a status, in the words of the service, and nothing is
    /// done.
    Status(u16),
    /// The same, and the client is asked to wait so many seconds.
    RetryAfter(u16, u64),
    /// It is refused with exactly this: a status and a JSON text.
    Refusal(u16, String),
    /// Nothing is answered for so long; then the connection ends.
    Hang(Duration),
    /// The connection ends at once, and nothing is done.
    Cut,
    /// It is carried out, and the connection ends in the middle of the answer.
    Truncate,
}
