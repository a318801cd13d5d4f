//! People who use the server, insist, and write down what they are told.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use portcullis_testkit::SmtpSink;
use portcullis_tests::{Anonymous, Answer, LoggedIn, Mail, NAME, PASSWORD, problem};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::task::JoinSet;

use crate::journal::{Journal, Person};

const VERIFICATION: &str = "Verify your email address";
const RESET: &str = "Reset your password";

/// How long somebody insists before the server counts as gone for good.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long somebody waits for a mail before doing something else: one that a
/// killed server had claimed comes free after a minute.
const MAIL_PATIENCE: Duration = Duration::from_secs(4);

/// A number below a bound; each time another.
pub(crate) fn random(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}

/// How a life goes on after the first login.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How often the session is refreshed and the profile changed.
    pub(crate) rounds: u64,
    pub(crate) resets: bool,
    pub(crate) logs_out: bool,
}

impl Plan {
    fn random() -> Self {
        Self { rounds: 1 + random(4), resets: random(3) == 0, logs_out: random(2) == 0 }
    }
}

/// Somebody who asks a server and reads mails.
#[derive(Clone)]
pub(crate) struct Client {
    anonymous: Anonymous,
    sink: Arc<SmtpSink>,
    journal: Arc<Journal>,
    mail_patience: Duration,
}

/// The answer to a request that was repeated until there was one.
struct Insisted {
    answer: Answer,
    /// An earlier attempt may have been carried out.
    in_doubt: bool,
}

impl Insisted {
    /// Insists on a success; where it was in doubt, on a refusal that tells that
    /// it had been carried out already.
    #[track_caller]
    fn done(&self, status: u16, or: &[u16]) {
        let is_done =
            self.answer.status == status || (self.in_doubt && or.contains(&self.answer.status));
        assert!(is_done, "in doubt: {}, {:?}", self.in_doubt, self.answer);
    }
}

impl Client {
    /// Asks until there is an answer other than "later".
    async fn insist(&self, request: impl Fn() -> RequestBuilder) -> Insisted {
        let (started, mut in_doubt) = (Instant::now(), false);
        loop {
            let told = match Answer::if_any(request()).await {
                Ok(answer) if answer.status != 503 => return Insisted { answer, in_doubt },
                Ok(answer) => {
                    in_doubt = true;
                    format!("{answer:?}")
                }
                Err(error) => {
                    in_doubt |= !error.is_connect();
                    format!("{error:?}")
                }
            };
            self.journal.complain(&told);
            assert!(started.elapsed() < PATIENCE, "no answer for {PATIENCE:?}: {told}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn new(anonymous: Anonymous, sink: Arc<SmtpSink>, journal: Arc<Journal>) -> Self {
        Self { anonymous, sink, journal, mail_patience: MAIL_PATIENCE }
    }

    /// The same, who waits for mails as long as it takes.
    pub(crate) fn patient(self) -> Self {
        Self { mail_patience: PATIENCE, ..self }
    }

    /// The same, who waits for no mail.
    pub(crate) fn hasty(self) -> Self {
        Self { mail_patience: Duration::ZERO, ..self }
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> RequestBuilder {
        self.anonymous.request(Method::POST, &format!("/api/v1/auth/{path}")).json(body)
    }

    /// Lives through an account's life and writes it down. Says whether every
    /// mail came in time.
    pub(crate) async fn live(&self, email: &str, plan: Plan) -> bool {
        let mut person = self.register(email).await;
        let lived = self.go_on(&mut person, plan).await.is_some();
        self.journal.write(person);
        lived
    }

    async fn go_on(&self, person: &mut Person, plan: Plan) -> Option<()> {
        let token = self.mailed(&person.email, VERIFICATION).await?;
        self.verify(person, &token).await;
        self.log_in(person).await;
        for round in 0..plan.rounds {
            self.refresh(person, round % 2 == 0).await;
            self.rename(person, format!("Ann {} {round}", random(1_000_000))).await;
        }
        if plan.resets {
            self.reset(person).await?;
            self.log_in(person).await;
        }
        if plan.logs_out {
            self.log_out(person).await;
        }
        Some(())
    }

    async fn register(&self, email: &str) -> Person {
        let body = json!({"email": email, "name": NAME, "password": PASSWORD});
        let told = self.insist(|| self.post("register", &body)).await;
        told.done(201, &[400]);
        self.journal.acknowledge(told.in_doubt);
        Person {
            email: email.to_owned(),
            name: NAME.to_owned(),
            is_verified: false,
            password: PASSWORD.to_owned(),
            old_passwords: Vec::new(),
            alive: Vec::new(),
            over: Vec::new(),
            letters: vec!["verification"],
        }
    }

    async fn verify(&self, person: &mut Person, token: &str) {
        let told = self.insist(|| self.post("verify-email", &json!({"token": token}))).await;
        told.done(200, &[400]);
        self.journal.acknowledge(told.in_doubt);
        person.is_verified = true;
        person.letters.push("welcome");
    }

    async fn log_in(&self, person: &mut Person) {
        let body = json!({"email": person.email, "password": person.password});
        let told = self.insist(|| self.post("login", &body)).await;
        told.done(200, &[]);
        self.journal.acknowledge(told.in_doubt);
        person.alive.push(self.anonymous.with_tokens_of(&told.answer));
    }

    /// Gets the next refresh token; a lost answer, and a tab that was a moment
    /// late, get the same one.
    async fn refresh(&self, person: &mut Person, again: bool) {
        let session = person.alive.last_mut().unwrap();
        let body = json!({"refresh_token": session.refresh});
        let told = self.insist(|| self.post("refresh", &body)).await;
        told.done(200, &[]);
        self.journal.acknowledge(told.in_doubt);
        let successor = self.anonymous.with_tokens_of(&told.answer);
        if again || told.in_doubt {
            let once_more = self.insist(|| self.post("refresh", &body)).await;
            once_more.done(200, &[]);
            assert_eq!(once_more.answer.str("/refresh_token"), successor.refresh, "two are live");
        }
        *session = successor;
    }

    async fn rename(&self, person: &mut Person, name: String) {
        let session = person.alive.last().unwrap();
        let body = json!({"name": name});
        let told =
            self.insist(|| session.request(Method::PATCH, "/api/v1/auth/me").json(&body)).await;
        told.done(200, &[]);
        self.journal.acknowledge(told.in_doubt);
        person.name = name;
        let read = self.insist(|| session.request(Method::GET, "/api/v1/auth/me")).await;
        read.done(200, &[]);
        assert_eq!(read.answer.str("/name"), person.name, "an acknowledged change is lost");
    }

    async fn reset(&self, person: &mut Person) -> Option<()> {
        let told = self
            .insist(|| self.post("password-reset/request", &json!({"email": person.email})))
            .await;
        told.done(200, &[]);
        self.journal.acknowledge(told.in_doubt);
        person.letters.push("password_reset");
        let token = self.mailed(&person.email, RESET).await?;
        let password = format!("Another password {}", random(1_000_000));
        let body = json!({"token": token, "new_password": password});
        let told = self.insist(|| self.post("password-reset/confirm", &body)).await;
        told.done(200, &[400]);
        self.journal.acknowledge(told.in_doubt);
        person.old_passwords.push(std::mem::replace(&mut person.password, password));
        person.letters.push("password_changed");
        person.over.append(&mut person.alive);
        for session in &person.over {
            self.is_over(session).await;
        }
        Some(())
    }

    async fn log_out(&self, person: &mut Person) {
        let session = person.alive.pop().unwrap();
        let body = json!({"refresh_token": session.refresh});
        let told =
            self.insist(|| session.request(Method::POST, "/api/v1/auth/logout").json(&body)).await;
        told.done(204, &[401]);
        self.journal.acknowledge(told.in_doubt);
        self.is_over(&session).await;
        person.over.push(session);
    }

    /// Insists that neither token of a session is good for anything.
    pub(crate) async fn is_over(&self, session: &LoggedIn) {
        let me = self.insist(|| session.request(Method::GET, "/api/v1/auth/me")).await;
        me.answer.is_refused(401, "INVALID_TOKEN");
        let body = json!({"refresh_token": session.refresh});
        let refresh = self.insist(|| self.post("refresh", &body)).await;
        refresh.answer.is_problem(problem::BAD_REFRESH);
    }

    /// Insists that both tokens of a session are good, and leave one successor.
    pub(crate) async fn is_alive(&self, session: &LoggedIn, name: &str) {
        let me = self.insist(|| session.request(Method::GET, "/api/v1/auth/me")).await;
        me.done(200, &[]);
        assert_eq!(me.answer.str("/name"), name);
        let body = json!({"refresh_token": session.refresh});
        let first = self.insist(|| self.post("refresh", &body)).await;
        let second = self.insist(|| self.post("refresh", &body)).await;
        first.done(200, &[]);
        second.done(200, &[]);
        assert_eq!(first.answer.str("/refresh_token"), second.answer.str("/refresh_token"));
    }

    /// Insists that a password opens an account, or that it does not.
    pub(crate) async fn opens(&self, email: &str, password: &str, opens: bool) {
        let body = json!({"email": email, "password": password});
        let told = self.insist(|| self.post("login", &body)).await;
        if opens {
            told.done(200, &[]);
        } else {
            told.answer.is_problem(problem::BAD_LOGIN);
        }
    }

    /// Insists that a password opens an account whose address is not proven.
    pub(crate) async fn waits(&self, email: &str, password: &str) {
        let body = json!({"email": email, "password": password});
        let told = self.insist(|| self.post("login", &body)).await;
        told.answer.is_problem(problem::NOT_VERIFIED);
    }

    /// The token of the newest mail of a subject, if it comes soon.
    async fn mailed(&self, to: &str, subject: &str) -> Option<String> {
        let started = Instant::now();
        while started.elapsed() < self.mail_patience {
            let mails = self.sink.messages_to(to);
            if let Some(found) = mails.iter().rev().find(|mail| mail.subject() == subject) {
                let mail =
                    Mail { subject: found.subject(), text: found.text(), html: found.html() };
                return Some(mail.token());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }
}

/// People who live one life after the other until they are told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    people: JoinSet<()>,
}

impl Load {
    pub(crate) fn start(client: &Client, people: usize) -> Self {
        let mut load = Self { stop: Arc::default(), people: JoinSet::new() };
        for number in 0..people {
            let (client, stop) = (client.clone(), Arc::clone(&load.stop));
            load.people.spawn(async move {
                for life in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    client.live(&format!("p{number}-{life}@example.com"), Plan::random()).await;
                }
            });
        }
        load
    }

    /// Lets everybody come to the end of a life.
    pub(crate) async fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.people.join_next().await {
            ended.unwrap();
        }
    }
}
