//! Several mailers in turn.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Mailer, MailerError};
use portcullis_domain::{Cause, Mail};
use tokio::time::{Instant, timeout_at};

/// Longest attempt over all mailers; a worker holds a letter for a minute.
const BUDGET: Duration = Duration::from_secs(45);

/// A mailer and what to call it in errors.
#[derive(Clone)]
pub struct NamedMailer {
    /// Its name: `smtp`, `resend`.
    pub name: String,
    /// The mailer.
    pub mailer: Arc<dyn Mailer>,
}

/// A list without a mailer sends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there must be one mailer at least")]
pub struct NoMailer;

/// Tries its mailers in order until one takes the mail. What one refuses for
/// good, none of the others is asked for. A mailer that took a mail and lost
/// the answer is a second copy: readers tell it by its `Message-ID` only within
/// one provider.
pub struct FailoverMailer {
    mailers: Vec<NamedMailer>,
    budget: Duration,
}

impl FailoverMailer {
    /// Tries these in this order, for 45 seconds in all.
    ///
    /// # Errors
    /// [`NoMailer`] when the list is empty.
    pub fn new(mailers: Vec<NamedMailer>) -> Result<Self, NoMailer> {
        if mailers.is_empty() { Err(NoMailer) } else { Ok(Self { mailers, budget: BUDGET }) }
    }
}

/// Tells the names only.
impl fmt::Debug for FailoverMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.mailers.iter().map(|mailer| &mailer.name);
        f.debug_list().entries(names).finish()
    }
}

/// What one mailer said.
#[derive(Debug, thiserror::Error)]
#[error("{name}")]
struct Refused {
    name: String,
    source: Cause,
}

/// What each mailer said.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
struct NobodyTookIt(Vec<String>);

#[async_trait]
impl Mailer for FailoverMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailerError> {
        let deadline = Instant::now() + self.budget;
        let mut told = Vec::new();
        for NamedMailer { name, mailer } in &self.mailers {
            match timeout_at(deadline, mailer.send(mail.clone())).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(MailerError::Permanent(source))) => {
                    let refused = Refused { name: name.clone(), source };
                    return Err(MailerError::Permanent(refused.into()));
                }
                Ok(Err(MailerError::Temporary(cause))) => {
                    told.push(format!("{name}: {}", with_causes(&*cause)));
                }
                Err(_) => told.push(format!("{name}: the time for all mailers is over")),
            }
        }
        Err(MailerError::Temporary(NobodyTookIt(told).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{Email, LetterId};
    use std::sync::Mutex;
    use uuid::Uuid;

    #[derive(Clone, Copy)]
    enum Behaviour {
        Take,
        BeAway,
        Refuse,
        Hang,
    }

    /// Writes down who was asked.
    struct Scripted {
        name: &'static str,
        behaviour: Behaviour,
        asked: Arc<Mutex<Vec<&'static str>>>,
    }

    #[async_trait]
    impl Mailer for Scripted {
        async fn send(&self, _: Mail) -> Result<(), MailerError> {
            self.asked.lock().unwrap().push(self.name);
            match self.behaviour {
                Behaviour::Take => Ok(()),
                Behaviour::BeAway => Err(MailerError::Temporary("it is away".into())),
                Behaviour::Refuse => Err(MailerError::Permanent("no such user".into())),
                Behaviour::Hang => std::future::pending().await,
            }
        }
    }

    /// Sends one mail; gives the result and who was asked.
    async fn sent(
        mailers: &[(&'static str, Behaviour)],
    ) -> (Result<(), MailerError>, Vec<&'static str>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let named = |(name, behaviour): &(&'static str, Behaviour)| NamedMailer {
            name: (*name).into(),
            mailer: Arc::new(Scripted { name, behaviour: *behaviour, asked: Arc::clone(&asked) }),
        };
        let mailer = FailoverMailer::new(mailers.iter().map(named).collect()).unwrap();
        let mail = Mail {
            id: LetterId::new(Uuid::from_u128(1)),
            to: Email::parse("ann@example.com").unwrap(),
            subject: "Hello".into(),
            text: "text".into(),
            html: "<p>html</p>".into(),
        };
        let result = mailer.send(mail).await;
        let asked = asked.lock().unwrap().clone();
        (result, asked)
    }

    #[tokio::test]
    async fn the_first_that_takes_it_is_the_last_that_is_asked() {
        let (result, asked) =
            sent(&[("a", Behaviour::BeAway), ("b", Behaviour::Take), ("c", Behaviour::Take)]).await;
        result.unwrap();
        assert_eq!(asked, ["a", "b"]);
    }

    #[tokio::test]
    async fn a_refusal_for_good_is_final_and_named() {
        let (result, asked) = sent(&[("a", Behaviour::Refuse), ("b", Behaviour::Take)]).await;
        let error = result.unwrap_err();
        assert!(matches!(error, MailerError::Permanent(_)));
        assert_eq!(with_causes(&error), "the mail was refused for good: a: no such user");
        assert_eq!(asked, ["a"]);
    }

    #[tokio::test]
    async fn when_all_are_away_each_is_named() {
        let (result, asked) = sent(&[("a", Behaviour::BeAway), ("b", Behaviour::BeAway)]).await;
        let error = result.unwrap_err();
        assert!(matches!(error, MailerError::Temporary(_)));
        let told = "the mail was not accepted now: a: it is away; b: it is away";
        assert_eq!(with_causes(&error), told);
        assert_eq!(asked, ["a", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_before_the_worker_gives_up() {
        let start = Instant::now();
        let (result, _) = sent(&[("a", Behaviour::Hang), ("b", Behaviour::Hang)]).await;
        let error = result.unwrap_err();
        assert!(matches!(error, MailerError::Temporary(_)));
        assert!(with_causes(&error).contains("a: the time for all mailers is over"));
        assert_eq!(start.elapsed(), BUDGET);
    }

    #[test]
    fn there_is_one_mailer_at_least() {
        assert_eq!(FailoverMailer::new(Vec::new()).err(), Some(NoMailer));
    }
}
