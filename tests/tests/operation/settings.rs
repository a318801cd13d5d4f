//! Settings: read, checked together, and never shown if they are secret.

use portcullis_tests::{Outcome, PASSWORD, Server, claims, run};

const SECRET: &str = "a-secret-that-is-long-enough-for-anybody";

/// Tries to serve with these settings, which must fail.
fn refused(settings: &[(&str, &str)]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(folder.path(), &["serve"], settings);
    assert!(!outcome.status.success(), "{settings:?} is accepted: {}", outcome.said());
    let is_panic = outcome.said().contains("panicked at");
    assert!(!is_panic, "{settings:?}: {}", outcome.said());
    outcome
}

#[test]
fn op_06_a_bad_value_stops_the_start_and_is_named() {
    for (name, value) in [
        ("HOST", "not a host"),
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("PUBLIC_URL", "not a url"),
        ("DATABASE_URL", "mysql://localhost/portcullis"),
        ("DATABASE_POOL_SIZE", "0"),
        ("REDIS_URL", "memcached://localhost"),
        ("SECRET_KEY_PREVIOUS", "short"),
        ("JWT_ALGORITHM", "none"),
        ("JWT_ALGORITHM", "HS512"),
        ("ACCESS_TOKEN_TTL", "soon"),
        ("ACCESS_TOKEN_TTL", "0s"),
        ("REFRESH_TOKEN_TTL", "-1d"),
        ("REFRESH_GRACE", "x"),
        ("FORM_REFRESH_ROTATION", "perhaps"),
        ("VERIFICATION_TOKEN_TTL", "never"),
        ("UNVERIFIED_ACCOUNT_TTL", "0s"),
        ("PASSWORD_HASHER", "md5"),
        ("BCRYPT_ROUNDS", "3"),
        ("BCRYPT_ROUNDS", "99"),
        ("PASSWORD_POLICY", "strict"),
        ("LOCKOUT_THRESHOLD", "0"),
        ("LOCKOUT_DURATION", "1 fortnight"),
        ("RATE_LIMIT_ENABLED", "maybe"),
        ("RATE_LIMIT_STRICT", "-1"),
        ("RATE_LIMIT_WINDOW", "x"),
        ("REGISTRATION_DISCLOSURE", "maybe"),
        ("TRUSTED_PROXIES", "xyz"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("CORS_ORIGINS", "not an origin"),
        ("MAIL_PROVIDER", "pigeon"),
        ("DOCS_ENABLED", "maybe"),
        ("LOG_FORMAT", "xml"),
        ("SHUTDOWN_GRACE", "long"),
        ("WORKERS", "0"),
        ("METRICS_ADDR", "9100"),
        ("METRICS_ADDR", "127.0.0.1:0"),
        ("METRICS_ADDR", "127.0.0.1:8000"),
        ("API_V1_SUNSET_ON", "next year"),
    ] {
        let outcome = refused(&[(name, value)]);
        assert!(outcome.said().contains(name), "{name}={value}: {}", outcome.said());
    }
}

#[test]
fn a_choice_is_told_what_it_may_be() {
    for (name, may_be) in [
        ("REGISTRATION_DISCLOSURE", ["reveal", "hide"]),
        ("JWT_ALGORITHM", ["HS256", "EdDSA"]),
        ("PASSWORD_POLICY", ["basic", "composition"]),
    ] {
        let outcome = refused(&[(name, "nonsense")]);
        for choice in may_be {
            assert!(outcome.said().contains(choice), "{name}: {}", outcome.said());
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let settings =
        [("PORT", "abc"), ("JWT_ALGORITHM", "none"), ("LOCKOUT_DURATION", "x"), ("WORKERS", "x")];
    let outcome = refused(&settings);
    for (name, _) in settings {
        assert!(outcome.said().contains(name), "{name} is not named: {}", outcome.said());
    }
}

#[test]
fn jw_14_op_06_a_weak_secret_stops_the_start_and_is_not_shown() {
    let repeated = "a".repeat(32);
    for weak in ["canary", "canary-of-thirty-one-bytes-1234", "changeme", &repeated] {
        for name in ["SECRET_KEY", "SECRET_KEY_PREVIOUS"] {
            let outcome = refused(&[(name, weak)]);
            assert!(outcome.said().contains(name), "{}", outcome.said());
            assert!(!outcome.said().contains(weak), "{}", outcome.said());
        }
    }
    for weak in ["", "secret"] {
        let outcome = refused(&[("SECRET_KEY", weak)]);
        assert!(outcome.said().contains("SECRET_KEY"), "{}", outcome.said());
    }
    // With a shared database nothing is made up.
    let shared = "postgres://portcullis@127.0.0.1:9/portcullis";
    let outcome = refused(&[("DATABASE_URL", shared)]);
    assert!(outcome.said().contains("SECRET_KEY"), "{}", outcome.said());
}

#[test]
fn pw_11_op_06_cheap_hashes_are_for_development_alone() {
    let postgres = ("DATABASE_URL", "postgres://ann@localhost/auth");
    for rounds in ["4", "9"] {
        for production in [("HOST", "0.0.0.0"), postgres] {
            let outcome = refused(&[production, ("BCRYPT_ROUNDS", rounds)]);
            assert!(outcome.said().contains("BCRYPT_ROUNDS: "), "{}", outcome.said());
        }
    }
}

#[test]
fn a_secret_file_that_is_not_there_is_named() {
    let outcome = refused(&[("SECRET_KEY_FILE", "/nowhere/secret")]);
    assert!(outcome.said().contains("SECRET_KEY_FILE"), "{}", outcome.said());
}

#[test]
fn op_07_the_configuration_is_shown_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        ("SECRET_KEY", "canary-secret-that-is-long-enough-for-us"),
        ("SECRET_KEY_PREVIOUS", "canary-previous-that-is-long-enough-too"),
        ("ACCESS_TOKEN_TTL", "7m"),
        ("PORT", "12345"),
    ];
    let outcome = run(folder.path(), &["config"], &settings);
    assert!(outcome.status.success(), "{}", outcome.said());
    assert!(!outcome.said().contains("canary"), "{}", outcome.said());
    for shown in ["SECRET_KEY", "SECRET_KEY_PREVIOUS", "12345", "7m", "LOCKOUT_THRESHOLD"] {
        assert!(outcome.stdout.contains(shown), "{shown} is missing: {}", outcome.stdout);
    }
}

fn life_of(token: &str) -> i64 {
    let claims = claims(token);
    claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
}

#[tokio::test]
async fn a_file_holds_settings_and_the_environment_wins() {
    let folder = tempfile::tempdir().unwrap();
    let file = "ACCESS_TOKEN_TTL=7m\nFORM_ACCESS_TOKEN_TTL=8m\n";
    std::fs::write(folder.path().join(".env"), file).unwrap();
    let server = Server::start_in(folder, &[("FORM_ACCESS_TOKEN_TTL", "9m")]).await;
    assert_eq!(life_of(&server.logged_in("ann@example.com").await.access), 7 * 60);
    let john = server.signed_up("johndoe", "john@example.com").await;
    assert_eq!(life_of(&john.access), 9 * 60);
}

#[tokio::test]
async fn op_07_a_secret_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, SECRET).unwrap();
    let path = file.display().to_string();
    let mut server = Server::start_in(folder, &[("SECRET_KEY_FILE", &path)]).await;
    let ann = server.logged_in("ann@example.com").await;
    // From now on without the file.
    std::fs::remove_file(&file).unwrap();
    server.restart_with(&[("SECRET_KEY_FILE", ""), ("SECRET_KEY", SECRET)]).await;
    ann.is_alive().await;
}

#[tokio::test]
async fn op_01_nothing_secret_is_logged() {
    let server = Server::start_with(&[("LOG_LEVEL", "debug"), ("SECRET_KEY", SECRET)]).await;
    let ann = server.logged_in("ann@example.com").await;
    let renewed = ann.refreshed().await;
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, "NewSecurePass456!").await.is(200);
    let unspent = server.registered("bob@example.com").await;
    server.anonymous().get(&format!("/api/v1/auth/verify-email/{unspent}")).await.is(200);
    let log = server.log();
    assert!(!log.is_empty(), "nothing was logged at all");
    for secret in [
        SECRET,
        PASSWORD,
        "NewSecurePass456!",
        &ann.access,
        &ann.refresh,
        &renewed.access,
        &renewed.refresh,
        &token,
        &unspent,
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn a_database_that_cannot_be_opened_is_named_by_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "no folder").unwrap();
    let outcome = run(folder.path(), &["migrate"], &[("DATABASE_URL", "sqlite://file/p.db")]);
    assert!(!outcome.status.success());
    assert!(outcome.stderr.contains("DATABASE_URL: file/p.db"), "{}", outcome.said());
}
