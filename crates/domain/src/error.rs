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

/// Longest remark that is kept, in characters.
const MAX_REMARK: usize = 200;
/// Longest word of a remark.
const MAX_WORD: usize = 24;

/// What another server said about its failure, fit for a log: one line, not
/// long, and only words as people write them. A server may quote whatever it
/// was sent; addresses, links, tokens, keys and pieces of these become `…`.
#[must_use]
pub fn remark(text: &str) -> String {
    let mut remark = String::new();
    for word in text.split_whitespace() {
        let word = if is_plain(word) { word } else { "…" };
        if remark.chars().count() + word.chars().count() >= MAX_REMARK {
            remark.push_str(" …");
            break;
        }
        if !remark.is_empty() {
            remark.push(' ');
        }
        remark.push_str(word);
    }
    remark
}

/// A word or a number, not a mixture, in one case but for its first letter.
fn is_plain(word: &str) -> bool {
    let letters = || word.chars().filter(|c| c.is_alphabetic());
    let has_digits = word.chars().any(|c| c.is_ascii_digit());
    word.chars().count() <= MAX_WORD
        && word.chars().all(|c| c.is_alphanumeric() || ".,:;!?-_'\"`()[]<>*".contains(c))
        && !(has_digits && letters().next().is_some())
        && (letters().skip(1).all(|c| !c.is_uppercase()) || letters().all(|c| !c.is_lowercase()))
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
    fn a_remark_keeps_what_explains() {
        let said = "550 5.1.1 The example.com domain\r\n is NOT verified (not_verified).";
        assert_eq!(
            remark(said),
            "550 5.1.1 The example.com domain is NOT verified (not_verified)."
        );
    }

    #[test]
    fn a_remark_drops_what_may_be_a_secret() {
        let said =
            "no <ann@example.com> http://x.example?t=1 Zm9yZ2VkLXRva2Vu dGVs YQ== \u{1b}[31m";
        assert_eq!(remark(said), "no … … … … … …");
    }

    #[test]
    fn a_remark_is_never_long() {
        assert!(remark(&"word ".repeat(1_000)).chars().count() <= MAX_REMARK + 2);
        assert!(remark(&"x".repeat(100_000)).chars().count() <= 2);
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        let refused: Cause = "connection refused".into();
        let text = with_causes(&StoreError::Unavailable(refused));
        assert_eq!(text, "the store is unavailable: connection refused");
    }
}
