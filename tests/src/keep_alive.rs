//! Callers that keep their connections, and forgive nothing.

use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::json;

use crate::{LoggedIn, PASSWORD};

/// Logins of one account side by side count as failures until they are done.
pub const MANY_LOGINS: [(&str, &str); 2] =
    [("LOCKOUT_THRESHOLD", "10000"), ("LOCKOUT_ACCOUNT_THRESHOLD", "10000")];

/// Who logs in now and then; has to be there.
pub const VISITOR: &str = "visitor";

/// Somebody who asks one thing after the other on one connection.
#[derive(Debug)]
pub struct Caller {
    http: Client,
    url: String,
    access: String,
    refresh: String,
    turn: usize,
}

/// What became of somebody's requests.
#[derive(Debug, Default)]
pub struct Asked {
    /// How many were answered, whatever the answer.
    pub answered: usize,
    /// Whether an answer announced the end of its connection.
    pub announced: bool,
    /// What failed, in words.
    pub failed: Vec<String>,
    /// The slowest answer.
    pub slowest: Duration,
}

impl Caller {
    /// With a session of contract B, whose refresh token stays the same.
    #[must_use]
    pub fn new(url: &str, session: &LoggedIn, number: usize) -> Self {
        let http = Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().unwrap();
        let (access, refresh) = (session.access.clone(), session.refresh.clone());
        Self { http, url: url.to_owned(), access, refresh, turn: number }
    }

    /// Mostly reads and refreshes, now and then a login.
    fn next(&mut self) -> RequestBuilder {
        self.turn += 1;
        let to = |method, path| self.http.request(method, format!("{}/api/v1/{path}", self.url));
        match self.turn % 16 {
            0 => {
                // Somebody else: a user's hundred newest sessions live.
                let fields = [("username", VISITOR), ("password", PASSWORD)];
                to(Method::POST, "auth/login").form(&fields)
            }
            1 | 5 | 9 | 13 => {
                let body = json!({"refresh_token": self.refresh});
                to(Method::POST, "auth/refresh").json(&body)
            }
            _ => to(Method::GET, "users/me").bearer_auth(&self.access),
        }
    }

    async fn ask(&mut self, asked: &mut Asked) -> Result<(), reqwest::Error> {
        let started = Instant::now();
        let answer = self.next().send().await?;
        let status = answer.status();
        asked.announced |= answer.headers().get("connection").is_some_and(|told| told == "close");
        let text = answer.text().await?;
        asked.answered += 1;
        asked.slowest = asked.slowest.max(started.elapsed());
        if status != 200 {
            asked.failed.push(format!("{status} {text}"));
        }
        Ok(())
    }

    /// Asks until nobody listens any more.
    pub async fn until_refused(mut self) -> Asked {
        let mut asked = Asked::default();
        while asked.failed.is_empty() {
            match self.ask(&mut asked).await {
                Ok(()) => {}
                Err(error) if error.is_connect() => break,
                Err(error) => asked.failed.push(format!("{error:?}")),
            }
        }
        asked
    }

    /// Asks until told to stop; nothing may fail.
    pub async fn until(mut self, stop: impl Fn() -> bool) -> Asked {
        let mut asked = Asked::default();
        while !stop() {
            if let Err(error) = self.ask(&mut asked).await {
                asked.failed.push(format!("{error:?}"));
            }
        }
        asked
    }
}
