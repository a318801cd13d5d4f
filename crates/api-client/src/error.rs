//! What is no answer.

use std::error::Error;
use std::time::Duration;

/// Why there is no answer, or none that can be read.
///
/// No variant tells the URL or the headers: a key may stand in them.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It could not be reached, or the connection ended before its answer did.
    #[error("the connection failed: {0}")]
    Unreachable(String),
    /// It did not answer within the call's deadline.
    #[error("it did not answer within {0:?}")]
    TimedOut(Duration),
    /// The answer is longer than is read.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// The answer is not of the published form.
    #[error("the answer is not as published: {0}")]
    Unreadable(String),
    /// The request cannot be made of what was given; it was not sent.
    #[error("the request cannot be made: {0}")]
    Unsendable(String),
}

impl CallError {
    /// Whether the API was away or too slow: the same request may be answered
    /// later. All else is wrong with the request or the answer, and stays so.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut(_) => true,
            Self::TooLong(_) | Self::Unreadable(_) | Self::Unsendable(_) => false,
        }
    }

    pub(crate) fn of(error: reqwest::Error, deadline: Duration) -> Self {
        let is_ours = error.is_builder();
        if error.is_timeout() {
            return Self::TimedOut(deadline);
        }
        let told = deepest(&error.without_url());
        if is_ours { Self::Unsendable(told) } else { Self::Unreachable(told) }
    }

    /// Of an answer that is JSON, but says something else than is expected. The
    /// place is told and not the content, which may be a secret.
    pub(crate) fn unreadable(error: &serde_json::Error) -> Self {
        let kind = match error.classify() {
            serde_json::error::Category::Data => "its JSON has other fields",
            _ => "it is no JSON",
        };
        Self::Unreadable(format!("{kind}, at line {} column {}", error.line(), error.column()))
    }
}

fn deepest(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_an_outage() {
        assert!(CallError::Unreachable(String::new()).is_outage());
        assert!(CallError::TimedOut(Duration::ZERO).is_outage());
        assert!(!CallError::TooLong(0).is_outage());
        assert!(!CallError::Unreadable(String::new()).is_outage());
        assert!(!CallError::Unsendable(String::new()).is_outage());
    }
}
