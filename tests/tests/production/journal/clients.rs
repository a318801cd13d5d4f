//! Those who ask: one life of an account after the other, on all instances.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portcullis_testkit::SmtpSink;
use portcullis_tests::{Anonymous, Answer, LoggedIn, PASSWORD, Server, at_once};
use tokio::sync::Barrier;

use super::record::{Journal, Request};
use crate::letterbox::{Letterbox, RESET, VERIFICATION};

const ANOTHER: &str = "NewSecurePass456!";

/// Where the clients go, one after the other.
#[derive(Clone)]
pub(super) struct Instances {
    pub(super) callers: Arc<[Anonymous; 3]>,
    pub(super) servers: Arc<[Server; 3]>,
    /// Where mails arrive, whatever happens to the database.
    pub(super) post: Arc<SmtpSink>,
    /// Where all accounts of a wave wait for each other.
    pub(super) turns: Arc<Barrier>,
    /// Whether connections are cut now.
    pub(super) is_cutting: Arc<AtomicBool>,
    pub(super) journal: Journal,
}

impl Instances {
    /// Waits for the other accounts; from then on connections are cut, or not.
    /// A worker whose claim is cut off leaves its mail to another for a minute,
    /// so there is quiet while mails are waited for.
    async fn together(&self, is_cutting: bool) {
        if self.turns.wait().await.is_leader() {
            self.is_cutting.store(is_cutting, Ordering::SeqCst);
        }
    }

    fn caller(&self, number: usize) -> &Anonymous {
        &self.callers[number % 3]
    }

    /// Asks until it is known how it went, on one instance after the other.
    async fn insist(&self, ask: impl AsyncFn(&Anonymous) -> Answer) -> Answer {
        for number in 0.. {
            let answer = ask(self.caller(number)).await;
            if answer.status != 503 {
                return answer;
            }
            assert!(number < 200, "no end of 503: {answer:?}");
        }
        unreachable!("the numbers do not end")
    }

    /// The same request on all instances at the same time, twice on each.
    async fn six_at_once<F>(
        &self,
        request: Request,
        scope: &str,
        subject: &str,
        ask: fn(Anonymous, String) -> F,
    ) -> bool
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let answers = at_once(6, |number| {
            let (all, caller) = (self.clone(), self.caller(number).clone());
            let (scope, subject) = (scope.to_owned(), subject.to_owned());
            async move {
                let answer = ask(caller, subject.clone());
                all.journal.note(request, &scope, &subject, answer).await.status
            }
        });
        answers.await.into_iter().any(|status| status < 300)
    }

    async fn log_in(&self, email: &str, password: &str) -> LoggedIn {
        let answer = self.insist(async |caller| caller.log_in(email, password).await).await;
        self.caller(0).with_tokens_of(&answer.expect(200))
    }
}

/// A client that refreshes, and goes on with what it was given, until its
/// session is over.
async fn keep_refreshing(all: Instances, scope: String, mut session: LoggedIn) {
    for number in 0.. {
        let caller = all.caller(number).clone();
        let token = session.refresh.clone();
        let answer =
            all.journal.note(Request::Refresh, &scope, &token, caller.refresh(&token)).await;
        match answer.status {
            200 => session = caller.with_tokens_of(&answer),
            401 => return,
            _ => {}
        }
    }
}

/// A client that reads its profile until it may not, and twice more everywhere.
async fn keep_reading(all: Instances, scope: String, session: LoggedIn) {
    let mut left = 6;
    for number in 0.. {
        let session = session.at(&all.servers[number % 3]);
        let answer = all.journal.note(Request::Me, &scope, "", session.me()).await;
        left -= usize::from(answer.status == 401);
        if left == 0 {
            return;
        }
    }
}

/// The life of an account, from a race for its address to the end of its sessions.
pub(super) async fn life(all: Instances, email: String) {
    while !all
        .six_at_once(Request::Register, &email, &email, |caller, email| async move {
            caller.register(&email).await
        })
        .await
    {
        // All were cut off; one of them may have got through all the same.
        let answer = all.caller(0).register(&email).await;
        if answer.status == 400 || answer.status == 201 {
            break;
        }
    }
    let token = all.post.mail(&email, VERIFICATION).await.token();
    all.together(true).await;
    all.six_at_once(Request::Verify, &email, &token, |caller, token| async move {
        caller.verify(&token).await
    })
    .await;
    // Whatever became of those, it is verified now.
    all.insist(async |caller| caller.verify(&token).await).await;

    let (first, second) = (all.log_in(&email, PASSWORD).await, all.log_in(&email, PASSWORD).await);
    let mut clients = Vec::new();
    for (name, session) in [("first", &first), ("second", &second)] {
        let scope = format!("{email} {name}");
        clients.push(tokio::spawn(keep_reading(all.clone(), scope.clone(), session.clone())));
        clients.push(tokio::spawn(keep_refreshing(all.clone(), scope, session.clone())));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let scope = format!("{email} first");
    for number in 1.. {
        let session = first.at(&all.servers[number % 3]);
        let logout = session.log_out_without_body();
        let answer = all.journal.note(Request::LogOut, &scope, "", logout).await;
        if answer.status != 503 {
            break;
        }
    }
    all.together(false).await;
    all.insist(async |caller| caller.request_reset(&email).await).await.is(200);
    let token = all.post.mail(&email, RESET).await.token();
    all.together(true).await;
    while !all
        .six_at_once(Request::Reset, &email, &token, |caller, token| async move {
            caller.confirm_reset(&token, ANOTHER).await
        })
        .await
    {
        let answer = all.caller(1).confirm_reset(&token, ANOTHER).await;
        if answer.status == 400 || answer.status == 200 {
            break;
        }
    }
    for client in clients {
        client.await.unwrap();
    }
    all.log_in(&email, ANOTHER).await;
    all.together(false).await;
}
