//! What people do is counted once, by what became of it.

use portcullis_tests::PASSWORD;
use serde_json::json;

use super::observed::Observed;

#[tokio::test]
async fn every_way_to_an_account_is_counted_once() {
    let mut observed = Observed::start(&[("LOCKOUT_THRESHOLD", "3")]).await;
    let visitor = observed.anonymous();
    let ann = "ann@example.com";

    let answer = visitor.register(ann).await;
    let registered =
        |how| format!("portcullis_registrations_total{{contract=\"json\",outcome=\"{how}\"}}");
    observed.is(answer, 201, &registered("success")).await;
    observed.is(visitor.register(ann).await, 400, &registered("taken")).await;
    let answer = visitor.register_with("bob@example.com", "short").await;
    observed.is(answer, 400, &registered("weak_password")).await;
    let signed_up =
        |how| format!("portcullis_registrations_total{{contract=\"form\",outcome=\"{how}\"}}");
    let answer = visitor.sign_up("johndoe", "john@example.com").await;
    observed.is(answer, 201, &signed_up("success")).await;
    let answer = visitor.sign_up("johndoe", "jane@example.com").await;
    observed.is(answer, 400, &signed_up("taken")).await;

    let logged_in =
        |way, how| format!("portcullis_logins_total{{way=\"{way}\",outcome=\"{how}\"}}");
    let answer = visitor.log_in(ann, PASSWORD).await;
    observed.is(answer, 400, &logged_in("json", "unverified")).await;

    let verified = |how| format!("portcullis_email_verifications_total{{outcome=\"{how}\"}}");
    observed.is(visitor.verify("made up").await, 400, &verified("refused")).await;
    let token = observed.server.mailbox().mail(ann, "Verify your email address").await.token();
    observed.is(visitor.verify(&token).await, 200, &verified("verified")).await;
    let path = format!("/api/v1/auth/verify-email/{token}");
    observed.is(visitor.get(&path).await, 400, &verified("refused")).await;
    let body = json!({"email": "nobody@example.com"});
    let answer = visitor.post("/api/v1/auth/verify-email/resend", &body).await;
    observed.is(answer, 200, &verified("requested")).await;

    observed.is(visitor.log_in(ann, PASSWORD).await, 200, &logged_in("json", "success")).await;
    let answer = visitor.log_in_by_form("johndoe", PASSWORD).await;
    observed.is(answer, 200, &logged_in("form", "success")).await;
    let answer = visitor.log_in_by_form("?", PASSWORD).await;
    observed.is(answer, 401, &logged_in("form", "bad_credentials")).await;
    let wrong = "wrong password";
    for _ in 0..2 {
        let answer = visitor.log_in(ann, wrong).await;
        observed.is(answer, 400, &logged_in("json", "bad_credentials")).await;
    }
    visitor.log_in(ann, wrong).await.is(400);
    let now = observed.port.scrape().await;
    observed.counted(now, &["portcullis_lockouts_total", &logged_in("json", "bad_credentials")]);
    observed.is(visitor.log_in(ann, PASSWORD).await, 429, &logged_in("json", "locked")).await;

    let reset = |how| format!("portcullis_password_resets_total{{outcome=\"{how}\"}}");
    observed.is(visitor.request_reset(ann).await, 200, &reset("requested")).await;
    let token = observed.server.mailbox().mail(ann, "Reset your password").await.token();
    observed.is(visitor.confirm_reset(&token, "short").await, 400, &reset("weak_password")).await;
    let new = "NewSecurePass456!";
    observed.is(visitor.confirm_reset("made up", new).await, 400, &reset("refused")).await;
    observed.is(visitor.confirm_reset(&token, new).await, 200, &reset("confirmed")).await;

    // What says nothing, or nothing that can be read, is no outcome.
    visitor.post("/api/v1/auth/login", &json!({})).await.is(422);
    visitor.post_bytes("/api/v1/auth/login", "text/plain", b"?".to_vec()).await.is(415);
    let now = observed.port.scrape().await;
    observed.counted(now, &[]);

    // Registrations 2, sign-ups 2, logins 6 (the odd name and the locked one are not
    // hashed), a new password.
    let hashes = "portcullis_password_hashes_total{outcome=\"computed\"}";
    assert_eq!(observed.last.value(hashes), 11.0);
    let verified = "portcullis_password_hash_duration_seconds_count{operation=\"verify\"}";
    assert_eq!(observed.last.value(verified), 6.0);
    observed.becomes("portcullis_mails_total{outcome=\"sent\"}", |sent| sent >= 6.0).await;
    observed.becomes("portcullis_mails_total{outcome=\"dropped\"}", |dropped| dropped == 1.0).await;
}

#[tokio::test]
async fn every_turn_of_a_session_is_counted_once() {
    let mut observed = Observed::start(&[]).await;
    let first = observed.server.logged_in("ann@example.com").await;
    let john = observed.server.signed_up("johndoe", "john@example.com").await;
    let visitor = observed.anonymous();
    observed.last = observed.port.scrape().await;

    let refreshed = |how| format!("portcullis_refreshes_total{{outcome=\"{how}\"}}");
    let answer = visitor.refresh(&first.refresh).await;
    let second = visitor.with_tokens_of(&answer);
    observed.is(answer, 200, &refreshed("rotated")).await;
    observed.is(visitor.refresh(&first.refresh).await, 200, &refreshed("replayed")).await;
    observed.is(visitor.refresh(&john.refresh).await, 200, &refreshed("kept")).await;
    observed.is(visitor.refresh("made up").await, 401, &refreshed("refused")).await;
    observed.is(visitor.refresh(&second.refresh).await, 200, &refreshed("rotated")).await;
    // Two turns old: no grace is for that.
    observed.is(visitor.refresh(&first.refresh).await, 401, &refreshed("reused")).await;
    observed.is(visitor.refresh(&first.refresh).await, 401, &refreshed("refused")).await;

    let ann = observed.server.logged_in_again("ann@example.com").await;
    observed.last = observed.port.scrape().await;
    let left = |contract, how| {
        format!("portcullis_logouts_total{{contract=\"{contract}\",outcome=\"{how}\"}}")
    };
    let answer = ann.log_out_with(&john.refresh).await;
    observed.is(answer, 401, &left("json", "refused")).await;
    observed.is(ann.log_out().await, 204, &left("json", "success")).await;
    observed.is(john.log_out_without_body().await, 200, &left("form", "success")).await;
    john.log_out_without_body().await.is(401);
    let now = observed.port.scrape().await;
    observed.counted(now, &[]);
}
