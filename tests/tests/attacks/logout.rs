//! Logging out, and what must not survive it (LO).

use std::time::{Duration, Instant};

use portcullis_tests::{Server, eventually, problem};

/// All sessions end and a new one opens within one second: the moment decides,
/// not the second.
#[tokio::test]
async fn lo_09_an_end_of_all_sessions_and_a_login_in_one_second_do_not_mix() {
    let server = Server::start().await;
    let mut within_a_second = 0;
    // One address gets five mails of a kind an hour.
    for number in 0..5 {
        let email = format!("ann{number}@example.com");
        let old = server.logged_in(&email).await;
        let token = server.reset_token(&email).await;
        let older = server.logged_in_again(&email).await;
        let started = Instant::now();
        server.anonymous().confirm_reset(&token, "NewSecurePass456!").await.is(200);
        let answer = server.anonymous().log_in(&email, "NewSecurePass456!").await.expect(200);
        within_a_second += usize::from(started.elapsed() < Duration::from_secs(1));
        server.anonymous().with_tokens_of(&answer).is_alive().await;
        old.is_over().await;
        older.is_over().await;
    }
    assert!(within_a_second >= 1, "the machine is too slow for this test");
}

#[tokio::test]
async fn lo_12_an_expired_access_token_logs_nobody_out_and_its_session_can_still_be_ended() {
    let server = Server::start_with(&[("ACCESS_TOKEN_TTL", "2s")]).await;
    let ann = server.logged_in("ann@example.com").await;
    eventually("the token's end", Duration::from_secs(20), async || {
        (ann.me().await.status == 401).then_some(())
    })
    .await;
    ann.log_out().await.is_problem(problem::BAD_BEARER);
    ann.log_out_without_body().await.is_problem(problem::BAD_BEARER);
    let renewed = ann.refreshed().await;
    renewed.me().await.is(200);
    // The old access token is still no way out; the fresh one is.
    ann.log_out_with(&renewed.refresh).await.is_problem(problem::BAD_BEARER);
    renewed.log_out().await.is(204);
    renewed.anonymous().refresh(&renewed.refresh).await.is_problem(problem::BAD_REFRESH);
}
