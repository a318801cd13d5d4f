//! Three instances, many clients, cut connections: every operation is written
//! down with the time from its request to its answer, and the journal is checked
//! afterwards against what one instance alone would have done.
//!
//! An answer of 503 says nothing about what happened; it is kept apart, and
//! either outcome is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portcullis_testkit::{Redis, SmtpSink};
use portcullis_tests::{Anonymous, Answer, LoggedIn, PASSWORD, Server, at_once, eventually};

use tokio::sync::Barrier;
use tokio::task::LocalSet;

use crate::backends::Backends;
use crate::letterbox::{Letterbox, RESET, VERIFICATION};

const ANOTHER: &str = "NewSecurePass456!";
/// How many accounts live at the same time, and how often.
const AT_ONCE: usize = 6;
const WAVES: usize = 3;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Request {
    Register,
    Verify,
    Reset,
    Me,
    Refresh,
    LogOut,
}

/// What is known of how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// It was done; of a refresh, the token that it gave.
    Done(String),
    Refused,
    /// It may have been done.
    Unknown,
}

/// One request.
#[derive(Clone, Debug)]
struct Entry {
    request: Request,
    /// The account, and of the account the session.
    scope: String,
    /// What there may be one winner of: an address, a token.
    subject: String,
    sent: Instant,
    answered: Instant,
    outcome: Outcome,
}

/// Everything that was asked.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<Entry>>>);

impl Journal {
    async fn note(
        &self,
        request: Request,
        scope: &str,
        subject: &str,
        answer: impl Future<Output = Answer>,
    ) -> Answer {
        let sent = Instant::now();
        let answer = answer.await;
        let outcome = match answer.status {
            200 | 201 | 204 if request == Request::Refresh => {
                Outcome::Done(answer.str("/refresh_token").to_owned())
            }
            200 | 201 | 204 => Outcome::Done(String::new()),
            503 => Outcome::Unknown,
            400 | 401 => Outcome::Refused,
            other => panic!("{request:?} of {scope}: {other} {answer:?}"),
        };
        let (scope, subject) = (scope.to_owned(), subject.to_owned());
        let answered = Instant::now();
        let entry = Entry { request, scope, subject, sent, answered, outcome };
        self.0.lock().unwrap().push(entry);
        answer
    }
}

/// Where the clients go, one after the other.
#[derive(Clone)]
struct Instances {
    callers: Arc<[Anonymous; 3]>,
    servers: Arc<[Server; 3]>,
    /// Where mails arrive, whatever happens to the database.
    post: Arc<SmtpSink>,
    /// Where all accounts of a wave wait for each other.
    turns: Arc<Barrier>,
    /// Whether connections are cut now.
    is_cutting: Arc<AtomicBool>,
    journal: Journal,
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
async fn life(all: Instances, email: String) {
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

/// Of each address and each one-time token there is one winner.
fn single_winners(journal: &[Entry]) {
    let mut done: BTreeMap<(Request, &str), (usize, usize)> = BTreeMap::new();
    for entry in journal {
        if ![Request::Register, Request::Verify, Request::Reset].contains(&entry.request) {
            continue;
        }
        let counts = done.entry((entry.request, &entry.subject)).or_default();
        match entry.outcome {
            Outcome::Done(_) => counts.0 += 1,
            Outcome::Unknown => counts.1 += 1,
            Outcome::Refused => {}
        }
    }
    for ((request, subject), (winners, unknown)) in done {
        assert!(winners <= 1, "{request:?} of {subject} was done {winners} times");
        assert!(winners + unknown >= 1, "{request:?} of {subject} was refused to everybody");
    }
}

/// Each refresh token leads to one other, and no two lead to the same.
fn one_chain(journal: &[Entry]) {
    let mut successors: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in journal {
        if let (Request::Refresh, Outcome::Done(next)) = (entry.request, &entry.outcome) {
            successors.entry(&entry.subject).or_default().insert(next);
        }
    }
    let mut all = BTreeSet::new();
    for (token, next) in successors {
        assert_eq!(next.len(), 1, "{token} has more than one successor");
        assert!(all.insert(next), "a successor of {token} is another's");
    }
}

/// The moments from which a session may be over, and from which it is.
fn end_of(journal: &[Entry], scope: &str) -> (Option<Instant>, Option<Instant>) {
    let ends = journal.iter().filter(|entry| match entry.request {
        Request::LogOut => entry.scope == scope,
        Request::Reset => scope.starts_with(&format!("{} ", entry.scope)),
        _ => false,
    });
    let (mut may, mut is): (Option<Instant>, Option<Instant>) = (None, None);
    for end in ends {
        if end.outcome != Outcome::Refused {
            may = Some(may.map_or(end.sent, |at| at.min(end.sent)));
        }
        if let Outcome::Done(_) = end.outcome {
            is = Some(is.map_or(end.answered, |at| at.min(end.answered)));
        }
    }
    (may, is)
}

/// Nobody is let in after an end was acknowledged, nobody shut out before one
/// was asked for; returns how many requests that was seen by.
fn ends_are_heeded(journal: &[Entry]) -> (usize, usize) {
    let used = |entry: &&Entry| [Request::Me, Request::Refresh].contains(&entry.request);
    let scopes: BTreeSet<&str> =
        journal.iter().filter(used).map(|entry| entry.scope.as_str()).collect();
    let (mut before, mut after) = (0, 0);
    for scope in scopes {
        let (may, is) = end_of(journal, scope);
        for entry in journal.iter().filter(used).filter(|entry| entry.scope == scope) {
            let is_done = matches!(entry.outcome, Outcome::Done(_));
            if is.is_some_and(|at| entry.sent > at) {
                assert!(!is_done, "after its end: {entry:?}");
                after += 1;
            }
            if may.is_none_or(|at| entry.answered < at) {
                assert_ne!(entry.outcome, Outcome::Refused, "before its end: {entry:?}");
                before += 1;
            }
        }
    }
    (before, after)
}

/// Cuts every connection to the database again and again while it is time for
/// that; tells how often, when it is told to stop.
fn keep_cutting(
    backends: &Backends,
    is_cutting: &Arc<AtomicBool>,
    stop: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<u32> {
    let (backends, is_cutting, stop) = (backends.clone(), Arc::clone(is_cutting), Arc::clone(stop));
    std::thread::spawn(move || {
        let mut cuts = 0;
        while !stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(150));
            if is_cutting.load(Ordering::SeqCst) {
                backends.sql(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()",
                );
                cuts += 1;
            }
        }
        cuts
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_45_three_instances_under_cut_connections_behave_as_one() {
    let redis = Redis::start();
    let post = Arc::new(SmtpSink::start().await);
    let backends = Backends::new()
        .with_redis(&redis)
        .with_smtp(&post.url())
        .with("REFRESH_GRACE", "10m")
        .with("LOCKOUT_THRESHOLD", "10000")
        .with("LOCKOUT_ACCOUNT_THRESHOLD", "10000");
    let servers = Arc::new(<[Server; 3]>::from(tokio::join!(
        backends.instance(),
        backends.instance(),
        backends.instance()
    )));
    let callers = Arc::new(std::array::from_fn(|number: usize| servers[number].anonymous()));
    let is_cutting = Arc::new(AtomicBool::new(false));
    let all = Instances {
        callers,
        servers,
        post,
        turns: Arc::new(Barrier::new(AT_ONCE)),
        is_cutting: Arc::clone(&is_cutting),
        journal: Journal::default(),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let cutting = keep_cutting(&backends, &is_cutting, &stop);
    for wave in 0..WAVES {
        let lives = LocalSet::new();
        let all_lives = (0..AT_ONCE).map(|number| {
            lives.spawn_local(life(all.clone(), format!("a{wave}-{number}@example.com")))
        });
        let all_lives: Vec<_> = all_lives.collect();
        lives.await;
        for life in all_lives {
            life.await.unwrap();
        }
    }
    stop.store(true, Ordering::SeqCst);
    let cuts = cutting.join().unwrap();

    let journal = all.journal.0.lock().unwrap().clone();
    single_winners(&journal);
    one_chain(&journal);
    let (before, after) = ends_are_heeded(&journal);
    let unknown = journal.iter().filter(|entry| entry.outcome == Outcome::Unknown).count();
    println!(
        "{} requests, {unknown} of unknown outcome, {cuts} cuts; {before} before an end, {after} \
         after one",
        journal.len()
    );
    assert!(journal.len() >= 1_000 && unknown >= 1 && before >= 100 && after >= 100);
    let accounts = backends.sql("SELECT count(*), count(DISTINCT email) FROM users");
    assert_eq!(accounts, format!("{0}|{0}", AT_ONCE * WAVES));
    let live = "SELECT count(*) FROM sessions WHERE ended_at IS NULL GROUP BY user_id";
    let live = eventually("an answer", Duration::from_secs(5), async || Some(backends.sql(live)));
    // The last login of each is live, and one more where its answer was cut off.
    assert!(live.await.lines().all(|count| count.parse::<u32>().unwrap() >= 1));
}
