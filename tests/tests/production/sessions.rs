//! Sessions on Postgres and Redis, with one instance or several: races, cost,
//! cut connections, and that an end is an end everywhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use portcullis_testkit::Redis;
use portcullis_tests::{LoggedIn, PASSWORD, at_once, eventually, problem};
use serde_json::json;
use tokio::sync::Barrier;

use crate::backends::Backends;
use crate::cutting::Cutting;
use crate::kept::all_of_redis;
use crate::planted::Planted;

/// How many presented one token at the same time, and how often.
const WIDTHS: [usize; 3] = [2, 8, 32];
const ROUNDS: usize = 200;
/// How many sessions are logged out under fire.
const LOGOUTS: u32 = 1_000;

#[tokio::test]
async fn rf_03_of_600_races_over_three_instances_each_leaves_one_successor() {
    let redis = Redis::start();
    let backends = Backends::new().with_redis(&redis).with("REFRESH_GRACE", "10m");
    let instances = backends.three().await;
    let mut session = instances[0].logged_in("ann@example.com").await;
    let started = Instant::now();
    let mut races = 0;
    for width in WIDTHS {
        for _ in 0..ROUNDS {
            let answers = at_once(width, |number| {
                let session = session.at(&instances[number % 3]);
                async move { session.anonymous().refresh(&session.refresh).await }
            })
            .await;
            for answer in &answers {
                answer.is(200);
                assert_eq!(answer.str("/refresh_token"), answers[0].str("/refresh_token"));
            }
            assert_ne!(answers[0].str("/refresh_token"), session.refresh);
            session = session.anonymous().with_tokens_of(&answers[0]);
            races += 1;
        }
    }
    println!("{races} races over three instances in {:?}", started.elapsed());
    assert_eq!(backends.sql("SELECT counter FROM sessions"), races.to_string());
    session.is_alive().await;
}

/// Asks on and on; counts what passes of what was sent after the end.
async fn hammer(session: LoggedIn, start: Arc<Barrier>, ended: Arc<AtomicBool>) -> u32 {
    session.me().await.is(200);
    start.wait().await;
    loop {
        let was_ended = ended.load(Ordering::SeqCst);
        let answer = session.me().await;
        if was_ended {
            return u32::from(answer.status == 200);
        }
    }
}

#[tokio::test]
async fn lo_02_of_1000_logouts_under_fire_none_lets_a_later_request_pass_on_any_instance() {
    let redis = Redis::start();
    let backends = Backends::new().with_redis(&redis);
    let (here, there) = backends.two().await;
    let john = here.signed_up("johndoe", "john@example.com").await;
    let planted = Planted::new(&backends, &john, LOGOUTS, false);
    let started = Instant::now();
    for number in 1..=LOGOUTS {
        let session = planted.session(number);
        let (start, ended) = (Arc::new(Barrier::new(5)), Arc::new(AtomicBool::new(false)));
        let workers: Vec<_> = [&here, &there, &here, &there]
            .map(|instance| {
                let session = session.at(instance);
                tokio::spawn(hammer(session, Arc::clone(&start), Arc::clone(&ended)))
            })
            .into_iter()
            .collect();
        start.wait().await;
        session.log_out().await.is(204);
        ended.store(true, Ordering::SeqCst);
        for worker in workers {
            assert_eq!(worker.await.unwrap(), 0, "logout {number} was not heeded");
        }
    }
    println!("{LOGOUTS} logouts under fire in {:?}", started.elapsed());
    john.is_alive().await;
}

/// The middle and the slow end of how long so many refreshes take.
async fn times(sessions: impl Iterator<Item = LoggedIn>) -> (Duration, Duration) {
    let mut times = Vec::new();
    for session in sessions {
        let started = Instant::now();
        let answer = session.anonymous().refresh(&session.refresh).await;
        times.push(started.elapsed());
        assert!([200, 401].contains(&answer.status), "{answer:?}");
    }
    times.sort();
    (times[times.len() / 2], times[times.len() * 95 / 100])
}

#[tokio::test]
async fn rf_10_a_refresh_among_50_000_live_sessions_reads_one_row_by_its_key() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let few = Planted::new(&backends, &john, 200, true);
    let among_few = times((1..=200).map(|number| few.session(number))).await;
    drop(server);
    backends.sql("DELETE FROM sessions");
    let many = Planted::new(&backends, &john, 50_000, true);
    let scans =
        || backends.sql("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'sessions'");
    let found = || {
        let key = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'sessions_pkey'";
        backends.sql(key).parse::<u64>().unwrap()
    };
    // Postgres tells of its scans when a connection ends.
    let (scanned, by_key) = eventually("counters at rest", Duration::from_secs(30), async || {
        let before = (scans(), found());
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        (before == (scans(), found())).then_some(before)
    })
    .await;
    let server = backends.instance().await;
    let at_home = |session: LoggedIn| session.at(&server);
    let known = (1..=200).map(|number| at_home(many.session(number * 250)));
    let among_many = times(known).await;
    let unknown = (1..=200).map(|number| at_home(many.session(60_000 + number)));
    let of_unknown = times(unknown).await;
    drop(server);
    eventually("the use of the key", Duration::from_secs(30), async || {
        (found() >= by_key + 400).then_some(())
    })
    .await;
    assert_eq!(scans(), scanned, "the table was read from end to end");
    println!("few {among_few:?}, many {among_many:?}, unknown {of_unknown:?}");
    for slower in [among_many, of_unknown] {
        assert!(slower.0 < among_few.0 * 4, "{slower:?}, among few {among_few:?}");
    }
}

#[tokio::test]
async fn rf_11_jw_23_a_user_who_is_disabled_or_gone_is_shown_out_on_every_instance_at_once() {
    let backends = Backends::new();
    let (here, there) = backends.two().await;
    let john = here.signed_up("johndoe", "john@example.com").await;
    let mary = here.signed_up("marydoe", "mary@example.com").await;
    let bob = here.signed_up("bobdoe", "bob@example.com").await;
    for session in [&john, &mary, &bob] {
        session.is_alive().await;
        session.at(&there).is_alive().await;
    }
    backends.sql("UPDATE users SET is_active = false WHERE username = 'johndoe'");
    backends.sql("DELETE FROM users WHERE username = 'marydoe'");
    for instance in [&here, &there] {
        for gone in [&john, &mary] {
            let gone = gone.at(instance);
            gone.me().await.is(401);
            gone.log_out().await.is(401);
            gone.anonymous().refresh(&gone.refresh).await.is_problem(problem::BAD_REFRESH);
        }
        bob.at(instance).is_alive().await;
    }
    john.anonymous().log_in_by_form("johndoe", PASSWORD).await.is_problem(problem::BAD_FORM_LOGIN);
}

/// What is changed by hand, past every instance, is seen when a lease is over.
#[tokio::test]
async fn jw_23_with_redis_a_user_disabled_by_hand_is_shown_out_within_the_lease() {
    let redis = Redis::start();
    let backends = Backends::new().with_redis(&redis);
    let (here, there) = backends.two().await;
    let john = here.signed_up("johndoe", "john@example.com").await;
    john.at(&there).is_alive().await;
    backends.sql("UPDATE users SET is_active = false WHERE username = 'johndoe'");
    let disabled = Instant::now();
    john.anonymous().refresh(&john.refresh).await.is_problem(problem::BAD_REFRESH);
    eventually("the end of the lease", Duration::from_secs(4), async || {
        let statuses = (john.me().await.status, john.at(&there).me().await.status);
        (statuses == (401, 401)).then_some(())
    })
    .await;
    println!("shown out {:?} after", disabled.elapsed());
}

#[tokio::test]
async fn rf_07_a_token_that_could_be_presented_stands_neither_in_postgres_nor_in_redis() {
    let redis = Redis::start();
    let backends = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let server = backends.instance().await;
    let ann = server.logged_in("ann@example.com").await;
    let renewed = ann.refreshed().await;
    renewed.me().await.is(200);
    let tables = "SELECT string_agg(query_to_xml(format('SELECT * FROM %I', table_name), true, \
                  false, '')::text, '') FROM information_schema.tables \
                  WHERE table_schema = 'public' AND table_name <> 'mailbox'";
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |t, byte| t + &format!("{byte:02x}"));
    let database = backends.sql(tables);
    let session = portcullis_tests::claims(&ann.access)["sid"].as_str().unwrap().to_owned();
    assert!(database.contains(&session), "the test looks in the wrong place");
    let kept = all_of_redis(&redis);
    assert!(kept.contains(&session), "the test looks in the wrong place");
    for token in [&ann.refresh, &renewed.refresh] {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
        let (seed, seal) = bytes[21..].split_at(16);
        for canary in [token.clone(), hex(seed), hex(seal)] {
            assert!(!database.contains(&canary) && !kept.contains(&canary));
        }
        for part in [seed, seal] {
            let encoded = base64::prelude::BASE64_STANDARD.encode(part);
            assert!(!database.contains(&encoded), "in base64, as XML shows bytes");
        }
    }
    for access in [&ann.access, &renewed.access] {
        let tag = access.rsplit('.').next().unwrap();
        assert!(!database.contains(tag) && !kept.contains(tag));
    }
}

/// The number of a refresh token: how many came before it.
fn number(token: &str) -> u32 {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
    u32::from_be_bytes(bytes[17..21].try_into().unwrap())
}

/// Connections are cut at any moment of a refresh. The client asks again with
/// the token that it has, and goes on where it stood: by one step, never two.
#[tokio::test]
async fn rf_12_connections_cut_during_a_refresh_leave_the_old_or_the_new_token_good() {
    let backends = Backends::new().with("REFRESH_GRACE", "10m");
    let (here, there) = backends.two().await;
    let mut ann = here.logged_in("ann@example.com").await;
    let cutting = Cutting::after(Duration::ZERO, &backends, true);
    let (mut refused, mut refreshed) = (0, 0);
    let started = Instant::now();
    while refreshed < 600 || (refused < 10 && started.elapsed() < Duration::from_secs(30)) {
        let at = ann.at(if refreshed % 2 == 0 { &here } else { &there });
        let answer = at.anonymous().refresh(&ann.refresh).await;
        if answer.status == 200 {
            let next = ann.anonymous().with_tokens_of(&answer);
            assert_eq!(number(&next.refresh), number(&ann.refresh) + 1);
            ann = next;
            refreshed += 1;
        } else {
            answer.is_refused(503, "SERVICE_UNAVAILABLE");
            refused += 1;
        }
    }
    let cuts = cutting.stop();
    println!(
        "{refreshed} refreshes, {refused} times cut off by {cuts} cuts, in {:?}",
        started.elapsed()
    );
    assert!(refused > 0, "no refresh was cut off: the test proves nothing");
    eventually("an answer", Duration::from_secs(5), async || {
        (ann.me().await.status == 200).then_some(())
    })
    .await;
    let counter = backends.sql("SELECT counter FROM sessions");
    assert_eq!(counter, number(&ann.refresh).to_string());
    ann.is_alive().await;
}

#[tokio::test]
async fn rf_13_sessions_that_expired_a_day_ago_are_removed_and_no_others() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    Planted::new(&backends, &john, 1_300, true);
    let ages = "UPDATE sessions SET expires_at = now() - interval '25 hours' \
                WHERE id::text < '00000000-0000-4000-8000-0000000004b1'; \
                UPDATE sessions SET expires_at = now() - interval '23 hours' \
                WHERE id = '00000000-0000-4000-8000-0000000004b1'";
    assert_eq!(backends.sql(ages), "");
    drop(server);
    // It cleans up when it starts, and from then on now and again.
    let server = backends.instance().await;
    let left = eventually("the cleaning", Duration::from_secs(20), async || {
        let left = backends.sql("SELECT count(*) FROM sessions");
        (left != "1301").then_some(left)
    });
    left.await;
    eventually("101 that are left", Duration::from_secs(20), async || {
        (backends.sql("SELECT count(*) FROM sessions") == "101").then_some(())
    })
    .await;
    john.at(&server).is_alive().await;
}

/// The session that makes room ends on every instance before the login is
/// answered, also where a cache knows it.
#[tokio::test]
async fn lg_20_a_session_that_a_login_displaces_is_over_on_every_instance() {
    let redis = Redis::start();
    let backends = Backends::new().with_redis(&redis);
    let (here, there) = backends.two().await;
    let john = here.signed_up("johndoe", "john@example.com").await;
    let planted = Planted::new(&backends, &john, 100, false);
    // The sign-up was the newest of the 101 that are live now.
    let login = here.anonymous().log_in_by_form("johndoe", PASSWORD).await.expect(200);
    for (number, is_over) in [(1, true), (2, true), (3, false)] {
        let session = planted.session(number).at(&there);
        assert_eq!(session.me().await.status, if is_over { 401 } else { 200 }, "{number}");
    }
    for oldest in 3..8 {
        let session = planted.session(oldest).at(&there);
        session.me().await.is(200);
        session.me().await.is(200);
        here.anonymous().log_in_by_form("johndoe", PASSWORD).await.is(200);
        session.is_over().await;
        session.at(&here).is_over().await;
        planted.session(oldest + 1).at(&there).me().await.is(200);
    }
    here.anonymous().with_tokens_of(&login).is_alive().await;
    john.at(&there).is_alive().await;
    let reasons = "SELECT end_reason, count(*) FROM sessions GROUP BY 1 ORDER BY 1";
    assert_eq!(backends.sql(reasons), "displaced|7\n|100");
}

/// Two instances in different time zones, over a database in a third one.
#[tokio::test]
async fn r_42_time_zones_of_instances_and_database_change_nothing() {
    let backends = Backends::new();
    let zone = format!("ALTER DATABASE {} SET timezone TO 'America/St_Johns'", backends.name());
    assert_eq!(backends.sql(&zone), "");
    let (here, there) =
        (backends.clone().with("TZ", "Pacific/Kiritimati"), backends.with("TZ", "Pacific/Niue"));
    let (here, there) = tokio::join!(here.instance(), there.instance());
    let token = here.registered("ann@example.com").await;
    there.anonymous().verify(&token).await.is(200);
    let ann = there.logged_in_again("ann@example.com").await;
    for instance in [&here, &there] {
        let me = ann.at(instance).me().await.expect(200);
        let now = portcullis_domain::Timestamp::from_seconds(
            portcullis_tests::unix_now().try_into().unwrap(),
        );
        for pointer in ["/created_at", "/last_login_at"] {
            me.is_instant_at(pointer);
            let told = portcullis_domain::Timestamp::parse(me.str(pointer)).unwrap();
            let away = now.since(told).max(told.since(now));
            assert!(away < Duration::from_mins(5), "{pointer} is {away:?} away: {me:?}");
        }
    }
    let renewed = ann.at(&here).refreshed().await;
    renewed.patch_me(&json!({"name": "Ann Other"})).await.is(200);
    let reset = there.reset_token("ann@example.com").await;
    here.anonymous().confirm_reset(&reset, "NewSecurePass456!").await.is(200);
    renewed.at(&there).is_over().await;
}
