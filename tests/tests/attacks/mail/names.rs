//! What people call themselves, and their addresses.

use std::collections::BTreeSet;

use portcullis_testkit::SmtpSink;
use portcullis_tests::{Mail, NAME};
use serde_json::json;

use super::{is_well_formed, mailing_to, only_mails_to, register_as, sign_up_as};

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
        Mail::from(&sink.wait_for(1).await[0])
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
        let mail = Mail::from(mail);
        // A name that is no plain one changes nothing at all.
        assert_eq!(without_token(&mail, &mail.html), without_token(&plain, &plain.html));
        assert_eq!(without_token(&mail, &mail.text), without_token(&plain, &plain.text));
    }
    // One that is greeted is escaped.
    register_as(&server, "o@example.com", "O'Neil").await.is(201);
    let mail = Mail::from(&sink.wait_for(mails.len() + 1).await[mails.len()]);
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
        let mail = Mail::from(&mail);
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
