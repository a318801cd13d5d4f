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

#[tokio::test]
async fn in_transaction_mode() {
    let postgres = Postgres::shared();
    let bouncer = PgBouncer::start(postgres, PoolMode::Transaction, DROPPED);
    let backends = Backends::on(&bouncer.url(&postgres.empty_database()));
    let (server, other) = backends.two().await;
    let mut statuses = std::collections::BTreeMap::<String, usize>::new();
    for round in 0..10 {
        let answers = at_once(32, |number| {
            let anonymous = if number % 2 == 0 { server.anonymous() } else { other.anonymous() };
            async move {
                let name = format!("john{round}x{number}");
                let answer = anonymous.sign_up(&name, &format!("{name}@example.com")).await;
                let mut seen = vec![format!("signup {}", answer.status)];
                if answer.status == 201 {
                    let john = anonymous.with_tokens_of(&answer);
                    seen.push(format!("me {}", john.me().await.status));
                    seen.push(format!("refresh {}", anonymous.refresh(&john.refresh).await.status));
                    seen.push(format!("logout {}", john.log_out().await.status));
                }
                seen
            }
        })
        .await;
        for seen in answers.into_iter().flatten() {
            *statuses.entry(seen).or_default() += 1;
        }
    }
    println!("{statuses:?}");
    let log = server.log();
    for line in log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).take(8) {
        println!("{line}");
    }
    panic!("see");
}
