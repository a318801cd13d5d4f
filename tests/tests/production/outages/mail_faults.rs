//! The SMTP server fails in every way, while people register.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use portcullis_testkit::{Fault, FaultProxy, Postgres, Reaction, SmtpSink, Step};
use portcullis_tests::{Server, eventually};

use super::load::percentile;
use super::shows;
use crate::backends::Backends;
use crate::letterbox::{Letterbox, VERIFICATION};

/// How long a mail may take that is tried again after five or ten seconds.
const DELIVERY: Duration = Duration::from_mins(1);

/// A server, and the way to its sink.
async fn world() -> (SmtpSink, FaultProxy, Backends) {
    let sink = SmtpSink::start().await;
    let way = FaultProxy::to(sink.address());
    let backends = Backends::new().with_smtp(&format!("{}?timeout=2s", way.url(&sink.url())));
    (sink, way, backends)
}

async fn register(server: &Server, email: &str) {
    server.anonymous().register(email).await.is(201);
}

/// Lets somebody register, and writes the same letter to as many others: their
/// accounts are copies.
fn letters(backends: &Backends, from: u32, to: u32) {
    let user = "INSERT INTO users (id, email, name, password_hash, password_changed_at, created_at)
        SELECT gen_random_uuid(), 'many' || n || '@example.com', name, password_hash,
        password_changed_at, created_at FROM users";
    let letter = "INSERT INTO outbox (id, kind, recipient, created_at, attempts, due_at)
        SELECT gen_random_uuid(), kind, 'many' || n || '@example.com', now(), 0, now() FROM outbox";
    let numbers = format!("generate_series({from}, {to}) AS n WHERE");
    backends.sql(&format!(
        "BEGIN; {user}, {numbers} email = 'first@example.com';
         {letter}, {numbers} recipient = 'first@example.com' AND kind ILIKE 'verification%'; COMMIT"
    ));
}

/// Waits until no letter is owed any more but so many; says how long it took.
async fn settled_but(backends: &Backends, left: u32, within: Duration) -> Duration {
    let started = Instant::now();
    let open = "SELECT count(*) FROM outbox WHERE settled_at IS NULL AND buried_at IS NULL";
    eventually(&format!("all letters but {left} are settled"), within, async || {
        let open: u32 = backends.sql(open).parse().unwrap();
        (open <= left).then_some(())
    })
    .await;
    started.elapsed()
}

/// How often the sink took a mail to each address.
fn taken(sink: &SmtpSink) -> BTreeMap<String, usize> {
    let mut taken = BTreeMap::new();
    for message in sink.messages() {
        *taken.entry(message.envelope_to.concat()).or_default() += 1;
    }
    taken
}

/// Registers so many, one after the other; the time of each, in order.
async fn registrations(server: &Server, what: &str, count: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    for number in 0..count {
        let started = Instant::now();
        register(server, &format!("{what}{number}@example.com")).await;
        took.push(started.elapsed());
    }
    took.sort_unstable();
    took
}

#[tokio::test]
async fn r_28_mails_that_cannot_leave_wait_and_leave_once_when_they_can() {
    let (sink, way, backends) = world().await;
    let server = backends.instance().await;
    let quiet = registrations(&server, "quiet", 15).await;
    settled_but(&backends, 0, DELIVERY).await;
    way.set(Fault::Refuse);
    let away = registrations(&server, "away", 15).await;
    server.anonymous().request_reset("quiet0@example.com").await.is(200);
    // Some have been tried twice.
    tokio::time::sleep(Duration::from_secs(8)).await;
    shows(&server, "mail", "degraded").await;
    way.set(Fault::None);
    let drained = settled_but(&backends, 0, DELIVERY).await;
    let half = |took: &[Duration]| percentile(took, 50);
    println!(
        "half of the registrations took {:?} with and {:?} without SMTP; 16 mails left within \
         {drained:?} of its return",
        half(&quiet),
        half(&away)
    );
    assert!(half(&away) < half(&quiet) * 2 + Duration::from_millis(100), "{away:?} {quiet:?}");
    let taken = taken(&sink);
    for number in 0..15 {
        assert_eq!(taken[&format!("away{number}@example.com")], 1);
        assert_eq!(taken[&format!("quiet{number}@example.com")], 1 + usize::from(number == 0));
    }
}

#[tokio::test]
async fn r_10_a_server_starts_without_smtp_and_mails_leave_when_it_is_there() {
    let (sink, way, backends) = world().await;
    way.set(Fault::Refuse);
    let server = backends.instance().await;
    register(&server, "ann@example.com").await;
    shows(&server, "mail", "degraded").await;
    way.set(Fault::None);
    let token = sink.mail("ann@example.com", VERIFICATION).await.token();
    server.anonymous().verify(&token).await.is(200);
}

/// How often a recipient was named to the sink.
fn tries(sink: &SmtpSink, address: &str) -> usize {
    sink.commands().iter().filter(|line| line.contains(&format!("<{address}>"))).count()
}

#[tokio::test]
async fn r_29_who_is_refused_for_now_is_tried_ever_less_often_and_holds_up_nobody() {
    let (sink, _way, backends) = world().await;
    let server = backends.instance().await;
    let codes = ["421", "450", "451", "452"];
    for code in codes {
        let reply = Reaction::reply(&format!("{code} 4.3.0 later"));
        sink.on_mail_to(&format!("busy{code}@example.com"), Step::Rcpt, reply);
    }
    for code in codes {
        register(&server, &format!("busy{code}@example.com")).await;
    }
    let started = Instant::now();
    for number in 0..10 {
        register(&server, &format!("ann{number}@example.com")).await;
    }
    for number in 0..10 {
        sink.mail(&format!("ann{number}@example.com"), VERIFICATION).await;
    }
    println!("ten others were registered and mailed within {:?}", started.elapsed());
    // Tried at once, after 5 s to 6.25 s, and after 10 s to 12.5 s more.
    eventually("the third try", DELIVERY, async || {
        codes.iter().all(|code| tries(&sink, &format!("busy{code}@example.com")) >= 3).then_some(())
    })
    .await;
    assert!(started.elapsed() > Duration::from_secs(13), "after {:?}", started.elapsed());
    let wait = "SELECT count(DISTINCT due_at), min(attempts), max(attempts) FROM outbox
        WHERE settled_at IS NULL AND buried_at IS NULL";
    assert_eq!(backends.sql(wait), "4|3|3", "they do not come back together");
    sink.accept();
    backends.sql("UPDATE outbox SET due_at = now() WHERE settled_at IS NULL");
    settled_but(&backends, 0, DELIVERY).await;
    for code in codes {
        assert_eq!(taken(&sink)[&format!("busy{code}@example.com")], 1);
    }
}

#[tokio::test]
async fn r_30_who_is_refused_for_good_is_tried_once_and_told_in_the_log() {
    let (sink, _way, backends) = world().await;
    let server = backends.instance().await;
    let refusals = [("550", Step::Rcpt), ("552", Step::EndOfData), ("554", Step::Data)];
    for (code, step) in refusals {
        let reply = Reaction::reply(&format!("{code} 5.7.1 no"));
        sink.on_mail_to(&format!("no{code}@example.com"), step, reply);
        register(&server, &format!("no{code}@example.com")).await;
    }
    let buried = "SELECT count(*) FROM outbox WHERE buried_at IS NOT NULL AND attempts = 1";
    eventually("all were given up", Duration::from_secs(10), async || {
        (backends.sql(buried) == "3").then_some(())
    })
    .await;
    assert!(server.log().contains("a mail was given up"), "{}", server.log());
    // Longer than the shortest wait before another try.
    tokio::time::sleep(Duration::from_secs(7)).await;
    for (code, _) in refusals {
        assert_eq!(tries(&sink, &format!("no{code}@example.com")), 1, "{code}");
    }
    register(&server, "ann@example.com").await;
    sink.mail("ann@example.com", VERIFICATION).await;
}

/// Nobody at the database waits for SMTP: with one connection for everything,
/// everything goes on.
#[tokio::test]
async fn r_31_a_slow_smtp_server_holds_no_connection_of_the_database() {
    let (sink, way, backends) = world().await;
    let server = backends.clone().with("DATABASE_POOL_SIZE", "1").instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    settled_but(&backends, 0, DELIVERY).await;
    let slow = Fault::Slow { delay: Duration::ZERO, bytes_per_second: NonZeroU32::new(1) };
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'portcullis'
        AND datname = current_database() AND state LIKE 'idle in transaction%'";
    for (number, fault) in [Fault::Hang, slow, Fault::None].into_iter().enumerate() {
        way.set(fault);
        if fault == Fault::None {
            sink.on(Step::EndOfData, Reaction::Hang);
        }
        register(&server, &format!("ann{number}@example.com")).await;
        let attempted =
            format!("SELECT attempts FROM outbox WHERE recipient = 'ann{number}@example.com'");
        eventually("a mail on its way", DELIVERY, async || {
            (backends.sql(&attempted) == "1").then_some(())
        })
        .await;
        let (started, mut held) = (Instant::now(), 0);
        // As long as the mail may take at most, it is on its way.
        while started.elapsed() < Duration::from_millis(1_500) {
            let asked = Instant::now();
            john.me().await.is(200);
            assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
            held += usize::from(backends.sql(idle) != "0");
        }
        assert_eq!(held, 0, "a transaction is open while {fault:?}");
    }
    sink.accept();
    way.set(Fault::None);
    backends.sql("UPDATE outbox SET due_at = now() WHERE settled_at IS NULL");
    settled_but(&backends, 0, DELIVERY).await;
}

#[tokio::test]
async fn r_31_a_mail_that_hangs_holds_up_no_other() {
    let (sink, _way, backends) = world().await;
    let server = backends.instance().await;
    sink.on_mail_to("slow@example.com", Step::EndOfData, Reaction::Hang);
    register(&server, "slow@example.com").await;
    for number in 0..10 {
        register(&server, &format!("ann{number}@example.com")).await;
        sink.mail(&format!("ann{number}@example.com"), VERIFICATION).await;
    }
    assert!(!taken(&sink).contains_key("slow@example.com"));
}

#[tokio::test]
async fn r_32_a_connection_that_breaks_at_any_step_loses_nothing_and_doubles_nothing() {
    let (sink, way, backends) = world().await;
    let server = backends.instance().await;
    let steps = [Step::Connect, Step::Hello, Step::Mail, Step::Rcpt, Step::Data, Step::EndOfData];
    for (number, step) in steps.into_iter().enumerate() {
        // A connection that waits for its next mail has some steps behind it.
        way.set(Fault::Refuse);
        way.set(Fault::None);
        sink.once(step, Reaction::Disconnect);
        let address = format!("ann{number}@example.com");
        register(&server, &address).await;
        let reason = format!(
            "SELECT count(*) FROM outbox WHERE recipient = '{address}' AND reason IS NOT NULL"
        );
        eventually(&format!("a mail that broke off at {step:?}"), DELIVERY, async || {
            (backends.sql(&reason) == "1").then_some(())
        })
        .await;
        assert!(!taken(&sink).contains_key(&address), "{step:?}");
        backends.sql("UPDATE outbox SET due_at = now() WHERE settled_at IS NULL");
        sink.mail(&address, VERIFICATION).await;
    }
    assert!(taken(&sink).values().all(|count| *count == 1), "{:?}", taken(&sink));
    // What was read to its end came twice, and says so.
    let last = format!("ann{}@example.com", steps.len() - 1);
    let offered = sink.offered();
    let ids = offered.iter().filter(|mail| mail.envelope_to == [last.as_str()]);
    let ids: Vec<_> = ids.map(portcullis_testkit::SmtpMessage::message_id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(offered.len(), steps.len() + 1, "something else was doubled");
}

/// The same, byte by byte of what the server answers.
#[tokio::test]
async fn r_32_a_connection_that_breaks_after_any_number_of_bytes_loses_nothing() {
    let (sink, way, backends) = world().await;
    let server = backends.instance().await;
    let cuts: Vec<u64> = (1..=181).step_by(15).collect();
    for after in &cuts {
        way.set(Fault::Cut { after: *after });
        let address = format!("ann{after}@example.com");
        register(&server, &address).await;
        let tried = format!(
            "SELECT count(*) FROM outbox WHERE recipient = '{address}'
             AND (reason IS NOT NULL OR settled_at IS NOT NULL)"
        );
        eventually("a mail that was tried", DELIVERY, async || {
            (backends.sql(&tried) == "1").then_some(())
        })
        .await;
    }
    way.set(Fault::None);
    backends.sql("UPDATE outbox SET due_at = now() WHERE settled_at IS NULL");
    settled_but(&backends, 0, DELIVERY).await;
    let mut ids = BTreeMap::<_, Vec<_>>::new();
    for message in sink.messages() {
        ids.entry(message.envelope_to.concat()).or_default().push(message.message_id());
    }
    for after in cuts {
        let ids = &ids[&format!("ann{after}@example.com")];
        assert!(ids.iter().all(|id| *id == ids[0]), "{after}: {ids:?}");
        if ids.len() > 1 {
            println!("cut after {after} bytes of answers: it came {} times", ids.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_33_one_poisoned_recipient_among_a_thousand_holds_up_nobody() {
    let (sink, _way, backends) = world().await;
    let server = backends.instance().await;
    register(&server, "first@example.com").await;
    settled_but(&backends, 0, DELIVERY).await;
    letters(&backends, 1, 1_000);
    let well = settled_but(&backends, 0, DELIVERY).await;
    sink.on_mail_to("many1500@example.com", Step::EndOfData, Reaction::Hang);
    letters(&backends, 1_001, 2_000);
    let poisoned = settled_but(&backends, 1, DELIVERY).await;
    println!("1000 mails took {well:?}, and {poisoned:?} with one poisoned recipient among them");
    let bound = well * 2 + Duration::from_secs(5);
    assert!(poisoned < bound, "{poisoned:?} > {bound:?}");
    let taken = taken(&sink);
    assert_eq!(taken.len(), 2_000, "of 2001, one is poisoned");
    assert!(taken.values().all(|count| *count == 1));
    // At once, after five seconds, after ten more.
    let most = 2 + usize::try_from(poisoned.as_secs() / 5).unwrap();
    assert!(tries(&sink, "many1500@example.com") <= most, "of {most}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_34_three_senders_send_each_of_a_thousand_once_and_a_killed_one_loses_none() {
    let sink = SmtpSink::start().await;
    let backends = Backends::on(&Postgres::shared().empty_database()).with_smtp(&sink.url());
    let mut doomed = backends.instance().await;
    register(&doomed, "first@example.com").await;
    settled_but(&backends, 0, DELIVERY).await;
    let others = backends.two().await;
    letters(&backends, 1, 1_000);
    let started = Instant::now();
    eventually("it is under way", DELIVERY, async || (sink.messages().len() > 200).then_some(()))
        .await;
    doomed.kill();
    // At most what it held is left, and not for long.
    settled_but(&backends, 32, DELIVERY).await;
    let took = started.elapsed();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let held = "SELECT count(*), coalesce(bool_and(due_at <= now() + interval '1 min'), true)
        FROM outbox WHERE settled_at IS NULL";
    let held = backends.sql(held);
    println!("three senders, one killed: {took:?}; left by it (count, within its lease): {held}");
    assert!(held.ends_with("|t"), "{held}");
    backends.sql("UPDATE outbox SET due_at = now() WHERE settled_at IS NULL");
    settled_but(&backends, 0, DELIVERY).await;
    let taken = taken(&sink);
    assert_eq!(taken.len(), 1_001);
    let twice = taken.values().filter(|count| **count == 2).count();
    println!("{twice} came twice");
    assert!(taken.values().all(|count| *count <= 2));
    assert!(twice <= 32, "more than the killed one held: {twice}");
    drop(others);
}

/// With nobody killed, nothing comes twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_34_three_senders_send_each_letter_exactly_once() {
    let sink = SmtpSink::start().await;
    let backends = Backends::on(&Postgres::shared().empty_database()).with_smtp(&sink.url());
    let senders = backends.three().await;
    register(&senders[0], "first@example.com").await;
    settled_but(&backends, 0, DELIVERY).await;
    letters(&backends, 1, 1_000);
    settled_but(&backends, 0, DELIVERY).await;
    let taken = taken(&sink);
    assert_eq!(taken.len(), 1_001);
    assert!(taken.values().all(|count| *count == 1));
}
