//! `PgBouncer` between the server and Postgres.

use portcullis_testkit::{PgBouncer, PoolMode, Postgres};
use portcullis_tests::at_once;
use serde_json::json;

use crate::backends::Backends;
use crate::start::is_refused;

/// What the driver sends at its start and `PgBouncer` does not know.
const DROPPED: &str = "options,extra_float_digits";

#[tokio::test]
async fn in_session_mode_everything_works() {
    let postgres = Postgres::shared();
    let bouncer = PgBouncer::start(postgres, PoolMode::Session, DROPPED);
    let server = Backends::on(&bouncer.url(&postgres.empty_database())).instance().await;
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

/// `PgBouncer` 1.18 lets each transaction of a client run on another connection
/// and leaves the client's prepared statements behind; 1.21 can take them along
/// (`max_prepared_statements`). A server would start, and fail under load.
#[test]
fn in_transaction_mode_statements_get_lost_which_is_told() {
    let postgres = Postgres::shared();
    let bouncer = PgBouncer::start(postgres, PoolMode::Transaction, DROPPED);
    let backends = Backends::on(&bouncer.url(&postgres.empty_database()));
    // Each start leaves other connections behind.
    for _ in 0..3 {
        is_refused(&backends, "DATABASE_URL", "pooler in transaction mode");
    }
}
