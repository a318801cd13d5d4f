//! A client that writes down what it says and what it hears.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;
use std::time::Duration;

use reqwest::{Client, redirect};
use serde_json::Value;

use crate::delivery::Received;
use crate::mixes::Server;
use crate::request::Request;
use crate::transcript::{Step, Transcript};

/// What tells of the transport, and not of the answer.
const OF_TRANSPORT: [&str; 4] = ["connection", "content-length", "date", "transfer-encoding"];

/// How much time passes before each request: six of them make a minute, so
/// that nobody who goes on like this is held up by a rate limit.
const PAUSE: Duration = Duration::from_micros(10_000_001);

/// What passes between two requests that come as fast as they can.
const NO_PAUSE: Duration = Duration::from_micros(1);

/// Most mails that one round of the worker sends.
const ROUND: u32 = 100;

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    /// Insists on a status: a story that went astray is not worth comparing.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The text under a key of its body.
    #[track_caller]
    pub(crate) fn text(&self, key: &str) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body[key].as_str().unwrap().to_owned()
    }

    /// Its access token.
    #[track_caller]
    pub(crate) fn access(&self) -> String {
        self.text("access_token")
    }

    /// Its refresh token.
    #[track_caller]
    pub(crate) fn refresh(&self) -> String {
        self.text("refresh_token")
    }
}

/// A conversation with one server.
pub(crate) struct Conversation {
    server: Server,
    http: Client,
    transcript: Transcript,
    shown_subjects: HashSet<String>,
    story: &'static str,
    from: String,
    pause: Duration,
}

impl Conversation {
    /// Begins one.
    pub(crate) fn with(server: Server) -> Self {
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none());
        Self {
            server,
            // A connection each: what one request does to its own is no
            // other's business.
            http: http.pool_max_idle_per_host(0).build().unwrap(),
            transcript: Transcript::default(),
            shown_subjects: HashSet::new(),
            story: "",
            from: String::new(),
            pause: PAUSE,
        }
    }

    /// Begins a story, with a client at an address of its own.
    pub(crate) fn story(&mut self, name: &'static str, from: &str) {
        (self.story, self.pause) = (name, PAUSE);
        from.clone_into(&mut self.from);
    }

    /// Goes on from another address.
    pub(crate) fn from(&mut self, address: &str) {
        address.clone_into(&mut self.from);
    }

    /// From here on no time passes before a request, or again some.
    pub(crate) fn hurry(&mut self, is_in_a_hurry: bool) {
        self.pause = if is_in_a_hurry { NO_PAUSE } else { PAUSE };
    }

    /// Says something, and hears what comes back.
    pub(crate) async fn say(&mut self, request: Request) -> Answer {
        self.server.clock.advance(self.pause);
        let title = format!("{} {}", request.method, request.path);
        let url = format!("http://{}{}", self.server.address, request.path);
        let mut sent = self.http.request(request.method.clone(), url).body(request.body.clone());
        sent = sent.header("x-forwarded-for", &self.from);
        for (name, value) in &request.headers {
            sent = sent.header(*name, value);
        }
        let answer = sent.send().await.unwrap();

        let status = answer.status();
        let mut text = format!("> from {}\n{}{status}\n", self.from, request.shown());
        let headers: BTreeSet<_> = answer
            .headers()
            .iter()
            .filter(|(name, _)| !OF_TRANSPORT.contains(&name.as_str()))
            .map(|(name, value)| in_order(name.as_str(), value.to_str().unwrap()))
            .collect();
        for header in headers {
            let _ = writeln!(text, "{header}");
        }
        let body = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
        let shown = if request.is_body_shown { &body } else { "(a file of the repository)" };
        let _ = write!(text, "\n{}", without_redis(&request.path, shown));
        self.transcript.add_request(request.method.as_str(), &request.path);
        self.note(title, text);
        Answer { status: status.as_u16(), body }
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, duration: Duration, words: &str) {
        self.server.clock.advance(duration);
        self.note(words.to_owned(), String::new());
    }

    /// Lets the worker deliver what is due, and reads it.
    pub(crate) async fn mails(&mut self) -> Vec<Received> {
        let app = &self.server.app;
        let mut round: BTreeMap<String, u32> = BTreeMap::new();
        for claim in app.claim_due_mail(ROUND).await.unwrap() {
            let delivery = app.deliver(&claim).await.unwrap();
            *round.entry(format!("{delivery:?}")).or_default() += 1;
        }
        let sent = round.get("Sent").copied().unwrap_or_default();
        self.note("the outbox is looked at".to_owned(), format!("{round:?}"));
        let mails = self.server.delivery.take(sent).await;
        for mail in &mails {
            let Received { letter, from, to, subject, text, html } = mail;
            let mut whole =
                format!("letter: {letter}\nfrom: {from}\nto: {to}\nsubject: {subject}\n\n{text}");
            if self.shown_subjects.insert(subject.clone()) {
                let _ = write!(whole, "\n\n{html}");
            }
            self.note(format!("mail to {to}"), whole);
        }
        mails
    }

    /// The token of the only mail that is due.
    pub(crate) async fn mailed_token(&mut self) -> String {
        let mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails[0].token()
    }

    /// Lets the worker remove what is past its time.
    pub(crate) async fn purge(&mut self) {
        let purged = self.server.app.purge().await.unwrap();
        self.note("old rows are removed".to_owned(), format!("{purged:?}"));
    }

    /// An access token under the server's own key, of somebody who does not exist.
    pub(crate) fn token_of_nobody(&self) -> String {
        self.server.token_of_nobody()
    }

    /// Ends it, and hands out what was written down.
    pub(crate) async fn end(self) -> Transcript {
        self.server.stop().await;
        self.transcript
    }

    fn note(&mut self, title: String, text: String) {
        self.transcript.add(Step { story: self.story, title, text });
    }
}

/// A header's line. Lists about other origins are sets, and `actix-cors` writes
/// them in another order in each process.
fn in_order(name: &str, value: &str) -> String {
    let mut items: Vec<&str> = value.split(", ").collect();
    if name.starts_with("access-control-") {
        items.sort_unstable();
    }
    format!("{name}: {}", items.join(", "))
}

/// `/health` without the one check that only some mixes make.
fn without_redis(path: &str, body: &str) -> String {
    let is_health = path == "/health";
    if is_health { body.replace(",\"redis\":\"healthy\"", "") } else { body.to_owned() }
}
