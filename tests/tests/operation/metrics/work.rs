//! What the server has to do, and sends away: limits, hashes.

use portcullis_tests::{LoggedIn, PASSWORD, Server, at_once};

use super::observed::Observed;

#[tokio::test]
async fn what_limits_decide_is_counted_by_tier() {
    let settings =
        [("RATE_LIMIT_ENABLED", "true"), ("RATE_LIMIT_STRICT", "3"), ("RATE_LIMIT_USER", "2")];
    let observed = Observed::start(&settings).await;
    let visitor = observed.anonymous();
    let answer = visitor.sign_up("johndoe", "john@example.com").await.expect(201);
    let john: LoggedIn = visitor.with_tokens_of(&answer);
    visitor.log_in("ann@example.com", PASSWORD).await.is(400);
    visitor.log_in_by_form("johndoe", PASSWORD).await.is(200);
    visitor.log_in("ann@example.com", PASSWORD).await.is(429);
    for _ in 0..2 {
        visitor.log_in_by_form("johndoe", PASSWORD).await.is(429);
    }
    for status in [200, 200, 429] {
        john.me().await.is(status);
    }
    let now = observed.port.scrape().await;
    let decided = |tier, decision| {
        let labels = format!("limiter=\"first\",tier=\"{tier}\",decision=\"{decision}\"");
        now.value(&format!("portcullis_limiter_decisions_total{{{labels}}}"))
    };
    assert_eq!((decided("strict", "allowed"), decided("strict", "refused")), (3.0, 3.0));
    assert_eq!((decided("user", "allowed"), decided("user", "refused")), (2.0, 1.0));
    assert_eq!(decided("general", "allowed"), 3.0);
    let limited =
        |way| now.value(&format!("portcullis_logins_total{{way=\"{way}\",outcome=\"limited\"}}"));
    assert_eq!((limited("json"), limited("form")), (1.0, 2.0));
}

#[tokio::test]
async fn a_storm_of_logins_is_counted_one_by_one() {
    let settings = [("BCRYPT_ROUNDS", "12"), ("HASHING_PATIENCE", "200ms")];
    let (server, port) = Server::start_measured(&settings).await;
    let visitor = server.anonymous();
    let statuses = at_once(120, |number| {
        let visitor = visitor.clone();
        async move { visitor.log_in(&format!("nobody{number}@example.com"), PASSWORD).await.status }
    });
    let statuses = statuses.await;
    let answered = |status| {
        f64::from(u32::try_from(statuses.iter().filter(|s| **s == status).count()).unwrap())
    };
    let (wrong, later) = (answered(400), answered(503));
    assert!(wrong + later == 120.0 && wrong > 0.0 && later > 0.0, "{statuses:?}");
    let now = port.scrape().await;
    let logins =
        |how| now.value(&format!("portcullis_logins_total{{way=\"json\",outcome=\"{how}\"}}"));
    assert_eq!((logins("bad_credentials"), logins("overloaded")), (wrong, later));
    let hashes = |how| now.value(&format!("portcullis_password_hashes_total{{outcome=\"{how}\"}}"));
    assert_eq!((hashes("computed"), hashes("refused")), (wrong, later));
    let labels = "route=\"/api/v1/auth/login\",method=\"POST\",status=\"5xx\"";
    assert_eq!(now.value(&format!("portcullis_http_requests_total{{{labels}}}")), later);
    assert_eq!(now.value("portcullis_password_hashes_waiting"), 0.0);
}
