//! Letters: given up and sent again, taken over, and given back.

use std::path::Path;
use std::time::{Duration, Instant};

use portcullis_testkit::{Reaction, SmtpSink, Step};
use portcullis_tests::{Outcome, at_once, eventually, run};

use crate::backends::Backends;
use crate::letterbox::{Letterbox, VERIFICATION};

const ADDRESS: &str = "ann@example.com";

fn outbox(backends: &Backends, arguments: &[&str]) -> Outcome {
    let arguments = [&["outbox"], arguments].concat();
    let outcome = run(Path::new("/tmp"), &arguments, &backends.settings());
    assert!(!outcome.said().contains("canary"), "a secret is shown: {}", outcome.said());
    outcome
}

fn list(backends: &Backends, arguments: &[&str]) -> String {
    let outcome = outbox(backends, &[&["list"], arguments].concat());
    assert!(outcome.status.success(), "{}", outcome.said());
    outcome.stdout
}

/// Waits until a letter to that address was given up; returns its line.
async fn given_up(backends: &Backends, address: &str) -> String {
    eventually("a letter that was given up", Duration::from_secs(10), async || {
        let listed = list(backends, &[]);
        listed.lines().find(|line| line.contains(address)).map(str::to_owned)
    })
    .await
}

/// A server that wants a login, so that there is a password to keep.
async fn sink() -> (SmtpSink, Backends) {
    let sink = SmtpSink::with_login("ann", "canary-password").await;
    let url = sink.url().replace("://", "://ann:canary-password@");
    let backends = Backends::new().with_smtp(&format!("{url}?timeout=2s"));
    (sink, backends)
}

#[tokio::test]
async fn a_refused_letter_is_listed_with_its_reason_and_sent_again_when_told_so() {
    let (sink, backends) = sink().await;
    sink.on_mail_to(ADDRESS, Step::EndOfData, Reaction::reply("550 5.7.1 not in this house"));
    let server = backends.instance().await;
    assert_eq!(list(&backends, &[]).trim(), "no letter was given up");
    server.anonymous().register(ADDRESS).await.is(201);

    let line = given_up(&backends, ADDRESS).await;
    for told in ["Verification", "550", "not in this house"] {
        assert!(line.contains(told), "{told:?} is missing: {line}");
    }
    assert_eq!(list(&backends, &["--pending"]).trim(), "no letter is waiting");
    let id = line.split_whitespace().next().unwrap();

    let unknown = outbox(&backends, &["retry", "00000000-0000-0000-0000-000000000000"]);
    assert!(!unknown.status.success(), "{}", unknown.said());
    sink.accept();
    let retried = outbox(&backends, &["retry", id]);
    assert!(retried.status.success(), "{}", retried.said());
    let token = sink.mail(ADDRESS, VERIFICATION).await.token();
    assert!(!line.contains(&token), "a token is shown: {line}");
    server.anonymous().verify(&token).await.is(200);
    let (refused, sent) = (&sink.offered()[0], &sink.messages()[0]);
    assert!(!refused.message_id().is_empty());
    assert_eq!(refused.message_id(), sent.message_id());
    assert_eq!(list(&backends, &[]).trim(), "no letter was given up");
    let again = outbox(&backends, &["retry", id]);
    assert!(!again.status.success(), "a letter that was sent is due again: {}", again.said());
}

#[tokio::test]
async fn all_letters_that_were_given_up_are_sent_again_at_once() {
    let (sink, backends) = sink().await;
    sink.on(Step::Rcpt, Reaction::reply("550 5.1.1 no such mailbox"));
    let server = backends.instance().await;
    let addresses = ["ann@example.com", "bob@example.com", "cleo@example.com"];
    for address in addresses {
        server.anonymous().register(address).await.is(201);
    }
    for address in addresses {
        given_up(&backends, address).await;
    }
    sink.accept();
    let outcome = outbox(&backends, &["retry", "--all"]);
    assert!(outcome.status.success(), "{}", outcome.said());
    assert!(outcome.stdout.contains("3 due again"), "{}", outcome.said());
    for address in addresses {
        sink.mail(address, VERIFICATION).await;
    }
    let nothing = outbox(&backends, &["retry", "--all"]);
    assert!(nothing.status.success(), "{}", nothing.said());
}

#[tokio::test]
async fn a_letter_that_waits_is_listed_as_pending_with_the_reason() {
    let (sink, backends) = sink().await;
    sink.on(Step::Mail, Reaction::reply("451 4.3.0 come back later"));
    let server = backends.instance().await;
    server.anonymous().register(ADDRESS).await.is(201);
    let line = eventually("a postponed letter", Duration::from_secs(10), async || {
        let listed = list(&backends, &["--pending"]);
        listed.lines().find(|line| line.contains("come back later")).map(str::to_owned)
    })
    .await;
    assert!(line.contains(ADDRESS), "{line}");
    assert_eq!(list(&backends, &[]).trim(), "no letter was given up");
}

#[tokio::test]
async fn r_03_a_killed_workers_letter_is_taken_over_with_the_same_id_once_its_lease_ends() {
    let (sink, backends) = sink().await;
    sink.once(Step::EndOfData, Reaction::Hang);
    let mut first = backends.instance().await;
    first.anonymous().register(ADDRESS).await.is(201);
    eventually("a mail without an answer", Duration::from_secs(10), async || {
        (!sink.offered().is_empty()).then_some(())
    })
    .await;
    first.kill();

    let second = backends.instance().await;
    // The second one delivers, and leaves alone what the first one holds.
    second.anonymous().register("bob@example.com").await.is(201);
    sink.mail("bob@example.com", VERIFICATION).await;
    assert!(sink.mails_to(ADDRESS).await.is_empty(), "a leased letter was taken");
    let held = "SELECT due_at - now() BETWEEN interval '30 s' AND interval '1 min' FROM outbox
         WHERE settled_at IS NULL";
    assert_eq!(backends.sql(held), "t", "the lease is not a minute");

    // The lease ends; waiting for that would take too long.
    backends.sql("UPDATE outbox SET due_at = now() WHERE settled_at IS NULL");
    let token = sink.mail(ADDRESS, VERIFICATION).await.token();
    let ids: Vec<_> = sink
        .offered()
        .iter()
        .filter(|mail| mail.envelope_to == [ADDRESS])
        .map(portcullis_testkit::SmtpMessage::message_id)
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    second.anonymous().verify(&token).await.is(200);
}

#[tokio::test]
async fn r_09_whoever_is_told_to_stop_holds_no_letter_back() {
    let (sink, backends) = sink().await;
    sink.on(Step::EndOfData, Reaction::Hang);
    let mut first = backends.instance().await;
    // More than a worker claims at once.
    at_once(24, |number| {
        let anonymous = first.anonymous();
        async move { anonymous.register(&format!("ann{number}@example.com")).await.is(201) }
    })
    .await;
    eventually("mails without an answer", Duration::from_secs(10), async || {
        (!sink.offered().is_empty()).then_some(())
    })
    .await;
    let asked = Instant::now();
    let status = first.terminate().await;
    assert_eq!(status.code(), Some(0), "{}", first.log());
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    let held = "SELECT count(*) FROM outbox
         WHERE settled_at IS NULL AND due_at > now() + interval '30 s'";
    assert_eq!(backends.sql(held), "0", "letters are held for nobody");

    sink.accept();
    backends.sql("UPDATE outbox SET due_at = now() WHERE settled_at IS NULL");
    let _second = backends.instance().await;
    for number in 0..24 {
        sink.mail(&format!("ann{number}@example.com"), VERIFICATION).await;
    }
}

#[tokio::test]
async fn two_workers_send_each_letter_once() {
    let (sink, backends) = sink().await;
    let (here, there) = backends.two().await;
    at_once(20, |number| {
        let anonymous = if number % 2 == 0 { here.anonymous() } else { there.anonymous() };
        async move { anonymous.register(&format!("ann{number}@example.com")).await.is(201) }
    })
    .await;
    for number in 0..20 {
        sink.mail(&format!("ann{number}@example.com"), VERIFICATION).await;
    }
    backends.outbox_is_settled().await;
    assert_eq!(sink.offered().len(), 20);
}
