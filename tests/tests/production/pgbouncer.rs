//! `PgBouncer` between the server and Postgres.

use portcullis_testkit::{PgBouncer, PoolMode, Postgres};
use portcullis_tests::{Server, at_once};
use serde_json::json;

use crate::backends::Backends;
use crate::start::is_refused;

/// What the driver sends at its start and `PgBouncer` does not know.
const DROPPED: &str = "options,extra_float_digits";

async fn server_behind(mode: PoolMode) -> (PgBouncer, Server) {
    let postgres = Postgres::shared();
    let bouncer = PgBouncer::start(postgres, mode, DROPPED);
    let url = bouncer.url(&postgres.empty_database());
    let server = Backends::on(&url).instance().await;
    (bouncer, server)
}

#[tokio::test]
async fn in_session_mode_everything_works() {
    let (_bouncer, server) = server_behind(PoolMode::Session).await;
    let ann = server.logged_in("ann@example.com").await;
    ann.patch_me(&json!({"name": "Ann Other"})).await.is(200);
    let renewed = ann.refreshed().await;
    let answers = at_once(64, |_| {
        let renewed = renewed.clone();
        async move { renewed.me().await }
    })
    .await;
    for answer in answers {
        answer.is(200);
    }
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, "NewSecurePass456!").await.is(200);
    renewed.is_over().await;
}

#[test]
fn a_pooler_that_refuses_the_start_up_options_is_told() {
    let postgres = Postgres::shared();
    let bouncer = PgBouncer::start(postgres, PoolMode::Session, "extra_float_digits");
    let url = bouncer.url(&postgres.empty_database());
    is_refused(&Backends::on(&url), "DATABASE_URL", "unsupported startup parameter: options");
}

/// `PgBouncer` 1.18 lets each transaction of a client run on another connection,
/// and does not take the client's prepared statements along, as 1.21 can
/// (`max_prepared_statements`). The server starts, and fails under load: this
/// says how, and that it does no harm beyond that.
#[tokio::test]
async fn in_transaction_mode_statements_get_lost_which_is_503_and_nothing_worse() {
    let (_bouncer, server) = server_behind(PoolMode::Transaction).await;
    let answers = at_once(32, |number| {
        let anonymous = server.anonymous();
        async move {
            let name = format!("john{number}");
            let answer = anonymous.sign_up(&name, &format!("{name}@example.com")).await;
            if answer.status != 201 {
                return vec![answer];
            }
            let john = anonymous.with_tokens_of(&answer);
            let mut answers = Vec::new();
            for _ in 0..8 {
                answers.push(john.me().await);
            }
            answers
        }
    })
    .await;
    let refused: Vec<_> = answers.iter().flatten().filter(|answer| answer.status != 200).collect();
    assert!(!refused.is_empty(), "it works: say so in the documentation");
    for answer in refused {
        answer.is_refused(503, "SERVICE_UNAVAILABLE");
    }
    let log = server.log();
    assert!(log.contains("prepared statement"), "the log does not tell why: {log}");
}
