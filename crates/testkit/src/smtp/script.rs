//! What a sink does instead of accepting.

use std::time::Duration;

/// A moment of an SMTP session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody connected and waits for the greeting.
    Connect,
    /// `EHLO`.
    Hello,
    /// `AUTH`, before its credentials are looked at.
    Login,
    /// `MAIL`.
    Mail,
    /// `RCPT`.
    Rcpt,
    /// `DATA`.
    Data,
    /// The dot that ends the mail.
    EndOfData,
}

/// What to do at a step instead of accepting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Answers with this line.
    Reply(String),
    /// Answers with this code and quotes the mail, line by line.
    Quote(u16),
    /// Accepts, but only after so long.
    Late(Duration),
    /// Says nothing, and keeps the connection.
    Hang,
    /// Closes the connection.
    Disconnect,
}

impl Reaction {
    /// Answers with this line.
    #[must_use]
    pub fn reply(line: &str) -> Self {
        Self::Reply(line.into())
    }
}

/// A reaction, and when it is due.
struct Rule {
    step: Step,
    recipient: Option<String>,
    reaction: Reaction,
    times: Option<u32>,
}

/// The rules of a sink, the newest first.
#[derive(Default)]
pub(super) struct Script(Vec<Rule>);

impl Script {
    pub(super) fn add(
        &mut self,
        step: Step,
        recipient: Option<&str>,
        reaction: Reaction,
        times: Option<u32>,
    ) {
        self.0.insert(0, Rule { step, recipient: recipient.map(str::to_owned), reaction, times });
    }

    /// What is due at that step of a mail to these recipients.
    pub(super) fn reaction(&mut self, step: Step, recipients: &[String]) -> Option<Reaction> {
        let is_due = |rule: &&mut Rule| {
            let is_meant = |recipient| recipients.last() == Some(recipient);
            rule.step == step
                && rule.recipient.as_ref().is_none_or(is_meant)
                && rule.times != Some(0)
        };
        let rule = self.0.iter_mut().find(is_due)?;
        rule.times = rule.times.map(|times| times - 1);
        Some(rule.reaction.clone())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
