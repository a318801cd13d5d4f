//! Starting where the way to the database or to Redis is encrypted.

use std::path::Path;

use portcullis_testkit::{Certificates, Postgres, Redis};

use super::is_refused;
use crate::backends::Backends;

fn with_mode(url: &str, mode: &str) -> Backends {
    Backends::on(&format!("{url}?sslmode={mode}"))
}

fn trusting(url: &str, authority: &Path) -> Backends {
    Backends::on(&format!("{url}?sslmode=verify-full&sslrootcert={}", authority.display()))
}

#[test]
fn op_12_a_database_that_cannot_encrypt_is_told() {
    let url = Postgres::shared().empty_database();
    is_refused(&with_mode(&url, "require"), "DATABASE_URL", "TLS");
}

#[tokio::test]
async fn op_12_a_database_is_reached_with_tls_and_proven_by_its_authority() {
    let certificates = Certificates::new();
    let postgres = Postgres::start_with_tls(&certificates);
    let url = postgres.empty_database();
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE application_name = 'portcullis'";
    for backends in [
        trusting(&url, &certificates.authority()),
        with_mode(&url, "require"),
        // Where the server can, the default encrypts too.
        Backends::on(&url),
    ] {
        let server = backends.instance().await;
        server.anonymous().get("/health").await.is(200);
        assert_eq!(postgres.sql(&url, encrypted).trim(), "t");
    }
    let server = with_mode(&url, "disable").instance().await;
    server.anonymous().get("/health").await.is(200);
    assert_eq!(postgres.sql(&url, encrypted).trim(), "f");
}

#[test]
fn op_12_a_database_of_another_authority_is_refused() {
    let postgres = Postgres::start_with_tls(&Certificates::new());
    let url = postgres.empty_database();
    let stranger = Certificates::new();
    let cause = "invalid peer certificate";
    is_refused(&trusting(&url, &stranger.authority()), "DATABASE_URL", cause);
    // The system's authorities do not know it either.
    is_refused(&with_mode(&url, "verify-full"), "DATABASE_URL", "certificate");
}

#[test]
fn op_12_a_database_of_another_name_is_refused() {
    let certificates = Certificates::for_names(&["elsewhere.example"]);
    let postgres = Postgres::start_with_tls(&certificates);
    let url = postgres.empty_database();
    let cause = "certificate not valid for name";
    is_refused(&trusting(&url, &certificates.authority()), "DATABASE_URL", cause);
}

#[tokio::test]
async fn op_12_a_redis_is_reached_with_tls_and_proven_by_its_authority() {
    let certificates = Certificates::new();
    let redis = Redis::start_with_tls(&certificates);
    let url = format!("{}?ca={}", redis.url(), certificates.authority().display());
    let server = Backends::new().with("REDIS_URL", &url).instance().await;
    let health = server.anonymous().get("/health").await.expect(200);
    assert_eq!(health.body["checks"]["redis"], "healthy");
}

#[test]
fn op_12_a_redis_of_another_authority_is_refused() {
    let redis = Redis::start_with_tls(&Certificates::new());
    let stranger = Certificates::new();
    let url = format!("{}?ca={}", redis.url(), stranger.authority().display());
    is_refused(&Backends::new().with("REDIS_URL", &url), "REDIS_URL", "invalid peer certificate");
    is_refused(&Backends::new().with("REDIS_URL", &redis.url()), "REDIS_URL", "certificate");
}
