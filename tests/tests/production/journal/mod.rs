//! Three instances, many clients, cut connections: every operation is written
//! down with the time from its request to its answer, and the journal is checked
//! afterwards against what one instance alone would have done.
//!
//! An answer of 503 says nothing about what happened; it is kept apart, and
//! either outcome is allowed.

mod checks;
mod clients;
mod record;

use std::sync::Arc;
use std::time::Duration;

use portcullis_testkit::{Redis, SmtpSink};
use tokio::sync::Barrier;
use tokio::task::{JoinSet, LocalSet};

use crate::backends::Backends;
use crate::cutting::Cutting;
use checks::{ends_are_heeded, one_chain, single_winners};
use clients::{Instances, life};
use record::{Journal, Outcome};

/// How many accounts live at the same time, and how often.
const AT_ONCE: usize = 6;
const WAVES: usize = 3;

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
    let servers = Arc::new(backends.three().await);
    let callers = Arc::new(std::array::from_fn(|number: usize| servers[number].anonymous()));
    let cutting = Cutting::after(Duration::from_millis(150), &backends, false);
    let all = Instances {
        callers,
        servers,
        post,
        turns: Arc::new(Barrier::new(AT_ONCE)),
        is_cutting: cutting.switch(),
        journal: Journal::default(),
    };
    for wave in 0..WAVES {
        let (here, mut lives) = (LocalSet::new(), JoinSet::new());
        for number in 0..AT_ONCE {
            let life = life(all.clone(), format!("a{wave}-{number}@example.com"));
            lives.spawn_local_on(life, &here);
        }
        // The first that fails ends the test: the others would wait for it for ever.
        here.run_until(async {
            while let Some(ended) = lives.join_next().await {
                ended.unwrap();
            }
        })
        .await;
    }
    let cuts = cutting.stop();

    let journal = all.journal.entries();
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
    // The last login of each is live, and one more where its answer was cut off.
    let live = "SELECT count(DISTINCT user_id) FROM sessions WHERE ended_at IS NULL";
    assert_eq!(backends.sql(live), (AT_ONCE * WAVES).to_string());
}
