//! What a store can answer besides what was asked for.

use std::error::Error;

/// The error behind an error, kept for the log and never shown to a caller.
pub type Cause = Box<dyn Error + Send + Sync>;

/// An error and everything behind it, in one line: for logs and operators.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// The unique value that another user already holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The e-mail address.
    Email,
    /// The username.
    Username,
}

/// Why a store did not do what it was asked.
///
/// Absence is not an error: what is not there is `None`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique value is held by somebody else. Nothing was written, and the
    /// unit of work goes on.
    #[error("a unique value is already taken: {0:?}")]
    Conflict(Taken),
    /// The store cannot be reached, is too slow or is closing. Nothing is
    /// known about the data; trying again later may succeed.
    #[error("the store is unavailable")]
    Unavailable(#[source] Cause),
    /// A stored value breaks the rules it was written under.
    #[error("the store holds a value that breaks its rules")]
    Corrupt(#[source] Cause),
    /// The store refused for another reason: a defect of ours.
    #[error("the store refused a statement")]
    Other(#[source] Cause),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes() {
        let refused: Cause = "connection refused".into();
        let text = with_causes(&StoreError::Unavailable(refused));
        assert_eq!(text, "the store is unavailable: connection refused");
    }
}
