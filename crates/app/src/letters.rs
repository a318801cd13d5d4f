//! Letters written out: subject, text and HTML of each kind (contract §9).

use askama::Template;
use portcullis_domain::{Letter, LetterKind, Mail, User};

use crate::Failure;

/// What a letter says; both parts of the mail are made of it.
struct Words {
    subject: &'static str,
    paragraphs: Vec<String>,
    action: Option<Action>,
    closing: &'static str,
}

struct Action {
    label: &'static str,
    link: String,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct HtmlPart<'a> {
    greeting: &'a str,
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "letter.txt")]
struct TextPart<'a> {
    greeting: &'a str,
    words: &'a Words,
}

/// Writes a letter to its user. `link` is the one-time link, for the kinds
/// that carry one.
pub(crate) fn write(letter: &Letter, user: &User, link: Option<String>) -> Result<Mail, Failure> {
    let words = words(letter, link);
    let greeting = greeting(user.name.first());
    let failed = |error: askama::Error| Failure::Internal(error.into());
    Ok(Mail {
        id: letter.id,
        to: user.email.clone(),
        subject: words.subject.to_owned(),
        text: TextPart { greeting: &greeting, words: &words }.render().map_err(failed)?,
        html: HtmlPart { greeting: &greeting, words: &words }.render().map_err(failed)?,
    })
}

/// Greets by the first word of the name, and only if it is plainly a name: a
/// mail that we sign must not carry a stranger's sentence or link.
fn greeting(first_name: &str) -> String {
    let word = first_name.split_whitespace().next().unwrap_or_default();
    let is_name = (1..=40).contains(&word.chars().count())
        && word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’'));
    if is_name { format!("Hello {word},") } else { "Hello,".to_owned() }
}

const IGNORE: &str = "If you did not ask for this, you can ignore this mail: nothing changes.";
const CHOOSE_NEW: &str = "If this was not you, choose a new password with \"Forgot password\": that signs out everybody.";

fn words(letter: &Letter, link: Option<String>) -> Words {
    let place = letter.source.map_or_else(
        || "an unknown address".to_owned(),
        |source| format!("the network address {source}"),
    );
    let when = letter.created_at.floor_to_second();
    let action = |label| link.map(|link| Action { label, link });
    match letter.kind {
        LetterKind::Verification => Words {
            subject: "Verify your email address",
            paragraphs: vec!["Please confirm that this mailbox is yours.".into()],
            action: action("Verify email address"),
            closing: IGNORE,
        },
        LetterKind::PasswordReset => Words {
            subject: "Reset your password",
            paragraphs: vec![format!(
                "Somebody, probably you, asked at {when} from {place} to choose a new password."
            )],
            action: action("Choose a new password"),
            closing: IGNORE,
        },
        LetterKind::Welcome => Words {
            subject: "Welcome",
            paragraphs: vec!["Your email address is verified. You can log in now.".into()],
            action: None,
            closing: "Good to have you.",
        },
        LetterKind::PasswordChanged => Words {
            subject: "Your password was changed",
            paragraphs: vec![
                format!("Your password was changed at {when} from {place}."),
                "Every device has been signed out.".into(),
            ],
            action: None,
            closing: CHOOSE_NEW,
        },
        LetterKind::AccountLocked => Words {
            subject: "Your account is locked for a while",
            paragraphs: vec![
                format!("At {when} too many wrong passwords were tried from {place}."),
                "Logging in from there is refused for a while. Devices that are signed in \
                 stay so, and a password reset lifts the lock at once."
                    .into(),
            ],
            action: None,
            closing: "If this was you, simply wait, or reset your password.",
        },
        LetterKind::RefreshTokenReused => Words {
            subject: "You were signed out for your safety",
            paragraphs: vec![
                format!("At {when} a session's old key was used again, from {place}."),
                "That happens when somebody has a copy of it, so we ended that session. \
                 Please log in again."
                    .into(),
            ],
            action: None,
            closing: CHOOSE_NEW,
        },
        LetterKind::RegistrationAttempted => Words {
            subject: "Somebody tried to register with your email address",
            paragraphs: vec![
                format!("At {when} somebody tried from {place} to register with your address."),
                "You have an account already. If it was you and you forgot the password, \
                 use \"Forgot password\"."
                    .into(),
            ],
            action: None,
            closing: IGNORE,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ml_05_only_plain_names_are_greeted() {
        assert_eq!(greeting("Ann"), "Hello Ann,");
        assert_eq!(greeting("Jean-Luc"), "Hello Jean-Luc,");
        assert_eq!(greeting("Ann your account is blocked"), "Hello Ann,");
        for text in
            ["", "http://evil.example", "evil.example", "<b>Ann</b>", "{{7*7}}", &"a".repeat(41)]
        {
            assert_eq!(greeting(text), "Hello,", "{text}");
        }
    }
}
