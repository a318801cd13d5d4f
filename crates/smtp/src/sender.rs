//! The sender of every mail.

use lettre::message::Mailbox;

/// The configured sender is no mailbox.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a sender; write `Name <user@example.com>` or `user@example.com`")]
pub struct InvalidSender {
    text: String,
}

/// Reads `Name <user@example.com>` or `user@example.com`.
pub(crate) fn parse(text: &str) -> Result<Mailbox, InvalidSender> {
    let invalid = || InvalidSender { text: text.to_owned() };
    if text.contains(char::is_control) {
        return Err(invalid());
    }
    let mailbox: Mailbox = text.trim().parse().map_err(|_| invalid())?;
    // It stands in `MAIL FROM` and in the Message-ID; the extension that would
    // let other letters pass there is rare.
    if AsRef::<str>::as_ref(&mailbox.email).is_ascii() { Ok(mailbox) } else { Err(invalid()) }
}

/// The domain of a sender such as `MAIL_FROM` names.
///
/// # Errors
/// [`InvalidSender`] when the text is no mailbox.
pub fn sender_domain(text: &str) -> Result<String, InvalidSender> {
    Ok(parse(text)?.email.domain().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_may_have_a_name() {
        let sender = parse("Portcullis <noreply@localhost>").unwrap();
        assert_eq!(sender.name.as_deref(), Some("Portcullis"));
        assert_eq!(sender.email.domain(), "localhost");
        assert_eq!(
            parse("\"Lee, Ann\" <a@example.com>").unwrap().name.as_deref(),
            Some("Lee, Ann")
        );
        assert_eq!(parse("a@example.com").unwrap().name, None);
    }

    #[test]
    fn what_is_no_sender_is_named() {
        for text in [
            "",
            "Portcullis",
            "a@",
            "A <a@b.example",
            "A <a@b.example>\r\nBcc: <e@e.example>",
            "ä@b.example",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{text:?} is not a sender")), "{error}");
        }
    }
}
