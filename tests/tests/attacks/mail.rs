//! Putting words into mails (ML).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use portcullis_testkit::{Reaction, SmtpMessage, SmtpSink, Step};
use portcullis_tests::{Answer, Mail, NAME, PASSWORD, Server, eventually, problem, run};
use reqwest::Method;
use serde_json::json;

const ANOTHER: &str = "NewSecurePass456!";
const ORIGIN: &str = "https://auth.example.com";
const SENDER: &str = "Portcullis <noreply@example.org>";
/// Every header of every mail.
const HEADERS: [&str; 9] = [
    "Auto-Submitted",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Subject",
    "To",
    "Content-Transfer-Encoding",
];

/// A server whose mails go to that sink.
pub(crate) async fn mailing_to(sink: &SmtpSink) -> Server {
    mailing_with(sink, &[]).await
}

async fn mailing_with(sink: &SmtpSink, settings: &[(&str, &str)]) -> Server {
    let url = sink.url();
    let mut all = vec![
        ("PUBLIC_URL", ORIGIN),
        ("MAIL_PROVIDER", "smtp"),
        ("MAIL_FROM", SENDER),
        ("SMTP_URL", url.as_str()),
    ];
    all.extend(settings);
    Server::start_with(&all).await
}

fn read(mail: &SmtpMessage) -> Mail {
    Mail { subject: mail.subject(), text: mail.text(), html: mail.html() }
}

async fn register_as(server: &Server, email: &str, name: &str) -> Answer {
    let body = json!({"email": email, "name": name, "password": PASSWORD});
    server.anonymous().post("/api/v1/auth/register", &body).await
}

async fn sign_up_as(server: &Server, number: usize, first: &str, last: &str) -> Answer {
    let (username, email) = (format!("john{number}"), format!("john{number}@example.com"));
    let fields = [
        ("username", username.as_str()),
        ("email", &email),
        ("password", PASSWORD),
        ("first_name", first),
        ("last_name", last),
    ];
    server.anonymous().post_form("/api/v1/auth/signup", &fields).await
}

/// Insists that a sink was told nothing but what a mail to these takes.
#[track_caller]
fn only_mails_to(sink: &SmtpSink, recipients: &BTreeSet<String>) {
    for command in sink.commands() {
        let is_recipient = || {
            let path = command.strip_prefix("RCPT TO:<").and_then(|rest| rest.strip_suffix('>'));
            path.is_some_and(|address| recipients.contains(address))
        };
        let is_usual = command.starts_with("EHLO ")
            || command == "MAIL FROM:<noreply@example.org>"
            || ["DATA", "QUIT", "RSET", "NOOP"].contains(&command.as_str());
        assert!(is_usual || is_recipient(), "{command:?}");
    }
}

/// Insists on a mail like every other: these headers, one recipient, two parts.
#[track_caller]
fn is_well_formed(mail: &SmtpMessage) {
    let headers = mail.header_names();
    let distinct: BTreeSet<_> = headers.iter().map(String::as_str).collect();
    assert_eq!(distinct.len(), headers.len(), "a header comes twice: {headers:?}");
    assert!(distinct.iter().all(|name| HEADERS.contains(name)), "{headers:?}");
    assert_eq!(mail.from(), SENDER);
    assert_eq!(mail.envelope_from, "noreply@example.org");
    assert_eq!(mail.envelope_to.len(), 1);
    assert_eq!(mail.to(), mail.envelope_to);
    assert_eq!(mail.header("auto-submitted").as_deref(), Some("auto-generated"));
    assert!(mail.header("date").is_some_and(|date| date.ends_with(" +0000")));
    let id = mail.message_id();
    assert!(id.len() > 36 && id.ends_with("@example.org"), "{id}");
    assert!(mail.header("content-type").unwrap().starts_with("multipart/alternative"));
    assert!(!mail.text().trim().is_empty() && mail.html().contains("</html>"));
    let raw = String::from_utf8(mail.raw.clone()).unwrap();
    assert!(raw.is_ascii());
    assert!(raw.matches("charset=utf-8").count() == 2, "{raw}");
    assert!(!raw.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
    assert!(raw.split("\r\n").all(|line| line.len() <= 78), "a long line");
}

#[tokio::test]
async fn ml_01_line_ends_in_a_name_add_no_header_and_no_recipient() {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    let mut recipients = BTreeSet::new();
    for (number, end) in [
        "\r\n", "\r", "\n", "\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\u{c}", "\0", "%0d%0a",
        "\\r\\n",
    ]
    .into_iter()
    .enumerate()
    {
        let evil = format!("Eve{end}Bcc: e@evil.test{end}{end}x");
        let email = format!("ann{number}@example.com");
        let is_text = end.len() > 2 && end.is_ascii();
        let status = if is_text { 201 } else { 422 };
        let answer = register_as(&server, &email, &evil).await;
        answer.is(status);
        let by_form = sign_up_as(&server, number, &evil, &evil).await;
        by_form.is(status);
        if is_text {
            recipients.extend([email, format!("john{number}@example.com")]);
        }
    }
    for mail in sink.wait_for(recipients.len()).await {
        is_well_formed(&mail);
        assert!(!String::from_utf8_lossy(&mail.raw).contains("evil"));
    }
    only_mails_to(&sink, &recipients);
}

#[tokio::test]
async fn ml_02_no_address_adds_an_smtp_command() {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    for evil in [
        "a@x.com\r\nRCPT TO:<e@evil.test>",
        "a@x.com\nRCPT TO:<e@evil.test>",
        "a@x.com\rRCPT TO:<e@evil.test>",
        "a@x.com>\r\nDATA",
        "a@x.com>\nDATA",
        "a@x.com> BODY=8BITMIME",
        "<a@x.com",
        "a@x.com>,<e@evil.test",
        "a\r\nRCPT TO:<e@evil.test>@x.com",
        "a@x.com%0d%0aRCPT TO:<e@evil.test>",
        "a@x.com\0\r\nRSET",
        "a@x.com\u{2028}RSET",
        "a@x.com\u{85}RSET",
        "\"a\r\nRSET\"@x.com",
    ] {
        register_as(&server, evil, NAME).await.is_invalid(&["email"]);
        server.anonymous().request_reset(evil).await.is_invalid(&["email"]);
        let body = json!({"email": evil});
        let resend = server.anonymous().post("/api/v1/auth/verify-email/resend", &body).await;
        resend.is_invalid(&["email"]);
        server.anonymous().sign_up("eve", evil).await.is_invalid(&["email"]);
    }
    // Legal letters that only a careless encoder takes for line ends.
    let mut recipients = BTreeSet::new();
    for odd in ["a%0d%0arset@x.com", "a@x\u{560d}\u{560a}rset.com"] {
        let answer = register_as(&server, odd, NAME).await.expect(201);
        recipients.insert(answer.str("/email").to_owned());
    }
    sink.wait_for(2).await;
    only_mails_to(&sink, &recipients);
    assert!(!String::from_utf8_lossy(&sink.wire()).contains("evil"));
}

const MARKUP: [&str; 12] = [
    "<img src=x onerror=1>",
    "<a href=http://evil.test>",
    "<script>alert(1)</script>",
    "</p></body></html><p>evil",
    "&lt;b&gt;",
    "\"><b>",
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "{% raw %}",
    "<%= 7*7 %>",
    "%s%n{0}",
];

#[tokio::test]
async fn ml_04_a_name_is_neither_markup_nor_a_template() {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    let plain = {
        register_as(&server, "plain@example.com", "42").await.is(201);
        read(&sink.wait_for(1).await[0])
    };
    for (number, name) in MARKUP.into_iter().enumerate() {
        let email = format!("ann{number}@example.com");
        register_as(&server, &email, name).await.is(201);
        sign_up_as(&server, number, name, name).await.is(201);
    }
    let mails = sink.wait_for(1 + 2 * MARKUP.len()).await;
    let without_token = |mail: &Mail, part: &str| part.replace(&mail.token(), "");
    for mail in &mails {
        is_well_formed(mail);
        let mail = read(mail);
        // A name that is no plain one changes nothing at all.
        assert_eq!(without_token(&mail, &mail.html), without_token(&plain, &plain.html));
        assert_eq!(without_token(&mail, &mail.text), without_token(&plain, &plain.text));
    }
    // One that is greeted is escaped.
    register_as(&server, "o@example.com", "O'Neil").await.is(201);
    let mail = read(&sink.wait_for(mails.len() + 1).await[mails.len()]);
    assert!(mail.text.starts_with("Hello O'Neil,"), "{}", mail.text);
    assert!(!mail.html.contains("O'Neil") && mail.html.contains("Neil,"), "{}", mail.html);
}

#[tokio::test]
async fn ml_05_a_name_carries_no_phishing_text() {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    let names = [
        "https://evil.test/login",
        "evil.test",
        "www.evil.test",
        "EVIL: your account is blocked, call +1 555 0100",
        "eve@evil.test",
        "evil\u{3002}test",
        "evil\u{2024}test/a",
        &"evil".repeat(20),
    ];
    for (number, name) in names.into_iter().enumerate() {
        register_as(&server, &format!("ann{number}@example.com"), name).await.is(201);
    }
    for (number, sentence) in
        ["Ann your account is evil call Eve", "Ann evil"].into_iter().enumerate()
    {
        sign_up_as(&server, number, sentence, "evil").await.is(201);
    }
    for mail in sink.wait_for(names.len() + 2).await {
        assert_eq!(mail.subject(), "Verify your email address");
        let mail = read(&mail);
        let told = format!("{}{}", mail.text, mail.html).to_lowercase();
        assert!(!told.contains("evil") && !told.contains("555"), "{told}");
        assert!(mail.text.starts_with("Hello,") || mail.text.starts_with("Hello Ann,"));
    }
}

#[tokio::test]
async fn ml_06_no_name_adds_a_recipient() {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    let mut recipients = BTreeSet::new();
    for (number, name) in [
        "a, b <c@evil.test>",
        "\"x\" <e@evil.test>",
        "e@evil.test",
        "Ann <e@evil.test>, Bob",
        "Ann; e@evil.test",
        "undisclosed: e@evil.test;",
        "=?utf-8?q?a=2C_e=40evil.test?=",
        "Ann\\\" <e@evil.test>",
        "(Ann) e@evil.test",
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("ann{number}@example.com");
        register_as(&server, &email, name).await.is(201);
        recipients.insert(email);
    }
    for mail in sink.wait_for(recipients.len()).await {
        is_well_formed(&mail);
        assert_eq!(mail.header("to").as_deref(), Some(mail.envelope_to[0].as_str()));
    }
    only_mails_to(&sink, &recipients);
    assert!(!String::from_utf8_lossy(&sink.wire()).contains("evil"));
}

/// What the people of [`every_kind`] must not find in their mails.
struct Secrets(Vec<String>);

/// Brings about one mail of each kind.
async fn every_kind(sink: &SmtpSink, name: &str) -> (Vec<SmtpMessage>, Secrets) {
    let settings =
        [("LOCKOUT_THRESHOLD", "2"), ("REFRESH_GRACE", "0s"), ("REGISTRATION_DISCLOSURE", "hide")];
    let server = mailing_with(sink, &settings).await;
    let email = "ann@example.com";
    register_as(&server, email, name).await.is(201);
    let token = read(&sink.wait_for(1).await[0]).token();
    server.anonymous().verify(&token).await.is(200);
    sink.wait_for(2).await;
    register_as(&server, email, name).await.is(201);
    sink.wait_for(3).await;
    let first = server.logged_in_again(email).await;
    let second = first.refreshed().await;
    first.anonymous().refresh(&first.refresh).await.is_problem(problem::BAD_REFRESH);
    sink.wait_for(4).await;
    for _ in 0..2 {
        let wrong = server.anonymous().log_in(email, "a canary of a guess").await;
        wrong.is_problem(problem::BAD_LOGIN);
    }
    sink.wait_for(5).await;
    server.anonymous().request_reset(email).await.is(200);
    let reset = read(&sink.wait_for(6).await[5]).token();
    server.anonymous().confirm_reset(&reset, ANOTHER).await.is(200);
    let mails = sink.wait_for(7).await;
    let kinds: BTreeSet<_> = mails.iter().map(SmtpMessage::subject).collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    let secrets = [
        PASSWORD,
        ANOTHER,
        "a canary of a guess",
        &first.access,
        &first.refresh,
        &second.access,
        &second.refresh,
        "bcrypt",
    ];
    (mails, Secrets(secrets.map(str::to_owned).to_vec()))
}

#[tokio::test]
async fn ml_07_every_mail_is_well_formed() {
    let sink = SmtpSink::start().await;
    let (mails, _) = every_kind(&sink, NAME).await;
    for mail in &mails {
        is_well_formed(mail);
    }
    let ids: BTreeSet<_> = mails.iter().map(SmtpMessage::message_id).collect();
    assert_eq!(ids.len(), mails.len(), "two mails share an id");
}

#[tokio::test]
async fn ml_08_mails_lead_to_the_server_alone_and_load_nothing() {
    let sink = SmtpSink::start().await;
    let (mails, _) = every_kind(&sink, NAME).await;
    let mut links = 0;
    for mail in mails.iter().map(read) {
        for part in [&mail.text, &mail.html] {
            for (at, _) in part.match_indices("://") {
                links += 1;
                let start = at.saturating_sub("https".len());
                assert!(part[start..].starts_with(&format!("{ORIGIN}/")), "{part}");
            }
            assert!(!part.contains("www.") && !part.contains("href=\"//"), "{part}");
        }
        let html = mail.html.to_lowercase();
        for load in ["src=", "<img", "<link", "<script", "<iframe", "<form", "url(", "@import"] {
            assert!(!html.contains(load), "{load}: {html}");
        }
    }
    assert_eq!(links, 2 * 4, "two mails carry a link: once as text, thrice as HTML");
}

#[tokio::test]
async fn ml_11_no_mail_holds_a_password_a_hash_or_a_session() {
    let sink = SmtpSink::start().await;
    let (mails, Secrets(secrets)) = every_kind(&sink, NAME).await;
    for mail in &mails {
        let raw = String::from_utf8_lossy(&mail.raw).replace("=\r\n", "");
        for secret in &secrets {
            for part in [&raw, &mail.text(), &mail.html(), &mail.subject()] {
                assert!(!part.contains(secret.as_str()), "{secret}: {part}");
            }
        }
    }
}

#[tokio::test]
async fn ml_12_mails_to_people_of_any_name_are_well_formed() {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    let names = [
        "é".repeat(255),
        "漢".repeat(255),
        "🙂".repeat(255),
        "e\u{301}".repeat(127),
        "a".repeat(255),
        "\u{301}".repeat(255),
        "👩‍👩‍👧‍👦".repeat(36),
        "שלום".into(),
        "Zoë".into(),
        "=".repeat(255),
        ".".into(),
        "\u{10FFFF}\u{FFFE}\u{E000}".into(),
    ];
    for (number, name) in names.iter().enumerate() {
        register_as(&server, &format!("ann{number}@example.com"), name).await.is(201);
    }
    sign_up_as(&server, 1, &"漢".repeat(50), &"🙂".repeat(50)).await.is(201);
    sign_up_as(&server, 2, &"漢".repeat(40), "字").await.is(201);
    let mails = sink.wait_for(names.len() + 2).await;
    for mail in &mails {
        is_well_formed(mail);
    }
    let greeted = |name: &str| {
        let greeting = format!("Hello {name},");
        mails
            .iter()
            .any(|mail| mail.text().starts_with(&greeting) && mail.html().contains(&greeting))
    };
    assert!(greeted("Zoë") && greeted("שלום") && greeted(&"漢".repeat(40)));
}

/// The token's life begins with the first attempt to send it.
#[tokio::test]
async fn r_35_a_link_that_died_while_mail_was_away_is_not_sent() {
    let sink = SmtpSink::start().await;
    let server = mailing_with(&sink, &[("RESET_TOKEN_TTL", "2s")]).await;
    register_as(&server, "ann@example.com", NAME).await.is(201);
    sink.wait_for(1).await;
    sink.on(Step::Mail, Reaction::reply("451 4.3.0 come back later"));
    server.anonymous().request_reset("ann@example.com").await.is(200);
    let tried = || sink.commands().iter().filter(|line| line.starts_with("MAIL")).count();
    eventually("the first attempt", Duration::from_secs(10), async || (tried() > 1).then_some(()))
        .await;
    let first_attempt = Instant::now();
    sink.accept();
    let database = format!("sqlite://{}/data/portcullis.db", server.folder().display());
    eventually("the letter is given up", Duration::from_secs(20), async || {
        let listed = run(server.folder(), &["outbox", "list"], &[("DATABASE_URL", &database)]);
        listed.stdout.contains("its link expired").then_some(())
    })
    .await;
    assert!(first_attempt.elapsed() > Duration::from_secs(2));
    assert_eq!(sink.messages().len(), 1, "a dead link was sent");

    server.anonymous().request_reset("ann@example.com").await.is(200);
    let token = read(&sink.wait_for(2).await[1]).token();
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
}

#[tokio::test]
async fn ml_09_ml_10_a_server_that_asks_for_tls_starts_with_no_less() {
    let folder = tempfile::tempdir().unwrap();
    for url in [
        "smtp://ann:canary@mail.example.com?starttls=never",
        "smtp://ann:canary@192.0.2.1?starttls=never",
        "smtp://mail.example.com?starttls=optional",
        "smtps://mail.example.com?starttls=never",
    ] {
        let settings = [("MAIL_PROVIDER", "smtp"), ("MAIL_FROM", SENDER), ("SMTP_URL", url)];
        let outcome = run(folder.path(), &["serve"], &settings);
        assert!(!outcome.status.success(), "{url}: {}", outcome.said());
        assert!(outcome.said().contains("SMTP_URL: "), "{}", outcome.said());
        assert!(!outcome.said().contains("canary"), "{}", outcome.said());
    }
}

/// A man in the middle who takes the offer of `STARTTLS` out gets neither a
/// password nor a mail.
#[tokio::test]
async fn ml_09_ml_10_without_tls_neither_password_nor_mail_leaves_the_server() {
    let sink = SmtpSink::with_login("ann", "canary-password").await;
    let port = sink.address().port();
    let url = format!("smtp://ann:canary-password@localhost:{port}?starttls=required&timeout=2s");
    let server = mailing_with(&sink, &[("SMTP_URL", &url)]).await;
    register_as(&server, "ann@example.com", NAME).await.is(201);
    eventually("an attempt", Duration::from_secs(10), async || {
        sink.commands().iter().any(|line| line.starts_with("EHLO")).then_some(())
    })
    .await;
    let health = eventually("mail is away", Duration::from_secs(10), async || {
        let health = server.anonymous().get("/health").await;
        (health.body["checks"]["mail"] == "degraded").then_some(health)
    })
    .await;
    health.is(200);
    let commands = sink.commands();
    let is_harmless = |line: &String| line.starts_with("EHLO") || line == "QUIT";
    assert!(commands.iter().all(is_harmless), "{commands:?}");
    assert!(sink.messages().is_empty());
    let answer = Answer::to(server.anonymous().request(Method::GET, "/health")).await;
    assert!(!answer.text.contains("canary"), "{}", answer.text);
    assert!(!server.log().contains("canary"), "{}", server.log());
}
