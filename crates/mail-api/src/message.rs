//! Everything that a provider of transactional mail can send.

mod draft;
mod rules;

pub use draft::{Attachment, Draft, Recipients, Tag, Template, Variable};
pub use rules::MessageError;

/// A message that keeps the rules, made of a [`Draft`]. Texts are trimmed but
/// for the bodies; a blank text is no text.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    draft: Draft,
}

impl Message {
    /// Checks a draft.
    ///
    /// # Errors
    /// [`MessageError`], the first rule that it breaks.
    pub fn new(draft: Draft) -> Result<Self, MessageError> {
        let draft = rules::trimmed(draft);
        rules::check(&draft)?;
        Ok(Self { draft })
    }

    /// What it says.
    #[must_use]
    pub fn draft(&self) -> &Draft {
        &self.draft
    }
}

/// A message may hold a token: its debug form, which ends up in logs, tells none.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message(…)")
    }
}
