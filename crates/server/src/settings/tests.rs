use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Settings, String> {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::read(Reader::from_pairs(pairs)).map_err(|error| error.to_string())
}

#[test]
fn without_anything_the_documented_defaults_hold() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.server.port, 8000);
    assert_eq!(settings.server.public_url, "http://localhost:8000");
    assert_eq!(settings.keys.issuer, "http://localhost:8000");
    assert_eq!(settings.http.cors, portcullis_http::CorsOrigins::Any);
    assert_eq!(settings.hashing, HashingScheme::BcryptSha256 { cost: 12 });
    let defaults = Rules::default();
    assert_eq!(settings.rules.json, defaults.json);
    assert_eq!(settings.rules.form, defaults.form);
    assert_eq!(settings.rules.lockout, defaults.lockout);
    assert_eq!(settings.rules.links, defaults.links);
    assert_eq!(settings.rules.refresh_grace, defaults.refresh_grace);
    assert_eq!(settings.rules.unverified_ttl, defaults.unverified_ttl);
}

#[test]
fn the_public_url_follows_the_port() {
    let settings = read(&[("PORT", "9000")]).unwrap();
    assert_eq!(settings.server.public_url, "http://localhost:9000");
}

#[test]
fn every_mistake_is_told_at_once_by_name() {
    let mistakes = [
        ("PORT", "abc"),
        ("HOST", "nowhere"),
        ("PUBLIC_URL", "localhost"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("BCRYPT_ROUNDS", "3"),
        ("JWT_ALGORITHM", "none"),
        ("ACCESS_TOKEN_TTL", "soon"),
        ("REFRESH_TOKEN_TTL", "0s"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("CORS_ORIGINS", "example.com"),
        ("RATE_LIMIT_ENABLED", "maybe"),
        ("MAIL_PROVIDER", "pigeon"),
        ("LOG_LEVEL", "verbose"),
        ("REDIS_URL", "http://localhost"),
        ("SMTP_URL", "http://localhost"),
        ("API_V1_SUNSET_ON", "tomorrow"),
        ("SECRET_KEY", "c4n4ry-too-short"),
    ];
    let told = read(&mistakes).err().unwrap();
    for (name, _) in mistakes {
        assert!(told.contains(name), "{name} is missing from:\n{told}");
    }
    assert!(!told.contains("c4n4ry"), "{told}");
}

#[test]
fn weak_hashing_is_for_loopback_only() {
    assert!(read(&[("BCRYPT_ROUNDS", "4")]).is_ok());
    let told = read(&[("BCRYPT_ROUNDS", "4"), ("HOST", "0.0.0.0")]).err().unwrap();
    assert!(told.contains("BCRYPT_ROUNDS"), "{told}");
}

#[test]
fn op_06_tokens_do_not_travel_in_the_clear() {
    let listening = ("HOST", "0.0.0.0");
    for open in ["http://auth.example.com", "http://127.0.0.1.example.com", "http://192.0.2.1"] {
        let told = read(&[listening, ("PUBLIC_URL", open)]).err().unwrap();
        assert!(told.contains("PUBLIC_URL"), "{told}");
        assert!(read(&[("PUBLIC_URL", open)]).is_ok(), "{open} in development");
    }
    let local = ["http://localhost:8080", "http://127.0.0.1:8000", "http://[::1]:8000"];
    for safe in local.into_iter().chain(["https://auth.example.com"]) {
        assert!(read(&[listening, ("PUBLIC_URL", safe)]).is_ok(), "{safe}");
    }
}

#[test]
fn with_postgres_what_instances_share_must_be_given() {
    let postgres = ("DATABASE_URL", "postgres://ann:c4n4ry@localhost/auth");
    let told = read(&[postgres, ("JWT_ALGORITHM", "EdDSA"), ("BCRYPT_ROUNDS", "4")]);
    let told = told.err().unwrap();
    for name in ["SECRET_KEY:", "JWT_KEYS_DIR:", "BCRYPT_ROUNDS:"] {
        assert!(told.contains(name), "{name} is missing from:\n{told}");
    }
    assert!(!told.contains("c4n4ry"), "{told}");
}

#[test]
fn a_provider_needs_what_it_is_reached_by() {
    for (provider, needed) in
        [("smtp", "SMTP_URL:"), ("resend", "RESEND_API_KEY:"), ("smtp,brevo", "BREVO_API_KEY:")]
    {
        let told = read(&[("MAIL_PROVIDER", provider)]).err().unwrap();
        assert!(told.contains(needed), "{needed} is missing from:\n{told}");
    }
    let both = [
        ("MAIL_PROVIDER", "smtp, resend"),
        ("MAIL_FROM", "Ann <ann@example.com>"),
        ("SMTP_URL", "smtps://ann:c4n4ry@example.com"),
        ("RESEND_API_KEY", "re_c4n4ry"),
    ];
    let settings = read(&both).unwrap();
    let names: Vec<_> = settings.mail.providers.iter().map(MailProvider::name).collect();
    assert_eq!(names, ["smtp", "resend"]);
    assert!(!settings.effective.contains("c4n4ry"), "{}", settings.effective);
    for wrong in ["smtp,smtp", "mailbox,smtp", "pigeon", ","] {
        assert!(read(&[("MAIL_PROVIDER", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn effective_settings_mask_secrets() {
    let secret = "0123456789abcdefghijklmnopqrstuvwxyz";
    let settings = read(&[("SECRET_KEY", secret), ("PORT", "9000")]).unwrap();
    assert!(!settings.effective.contains(secret));
    assert!(settings.effective.contains("SECRET_KEY=********"), "{}", settings.effective);
    assert!(settings.effective.contains("PORT=9000"));
    assert!(settings.effective.contains("PASSWORD_HASHER=bcrypt"));
}

#[test]
fn wherever_an_address_holds_a_password_it_is_masked() {
    let secret = ("SECRET_KEY", "0123456789abcdefghijklmnopqrstuvwxyz");
    for (name, address) in [
        ("DATABASE_URL", "postgres://ann:c4n4ry@host/auth?sslmode=require"),
        ("DATABASE_URL", "postgres://host/auth?user=ann&password=c4n4ry"),
        ("REDIS_URL", "redis://:c4n4ry@host:6379"),
        ("REDIS_URL", "redis://:c4n4ry@a:1,redis://:c4n4ry@b:2"),
        ("REDIS_URL", "redis+sentinel://:c4,n4ry@a:1,b:2/auth"),
        ("REDIS_URL", "rediss://:c4n4ry@host:6380?ca=/etc/ca.pem"),
    ] {
        let effective = read(&[secret, (name, address)]).unwrap().effective;
        assert!(!effective.contains("n4ry"), "{effective}");
    }
}

#[cfg(feature = "storage")]
#[test]
fn a_key_in_the_address_of_a_store_is_refused_and_not_repeated() {
    for url in [
        "s3://ann:c4n4ry@pictures?region=eu-central-1",
        "s3://pictures?region=eu-central-1&endpoint=https://ann:c4n4ry@host",
        "s3://pictures?region=eu-central-1&key=c4n4ry",
    ] {
        let keys = [("OBJECT_STORE_KEY_ID", "id"), ("OBJECT_STORE_KEY", "c4n4ry")];
        let told = read(&[&keys[..], &[("OBJECT_STORE_URL", url)]].concat()).err().unwrap();
        assert!(told.contains("OBJECT_STORE_URL") && !told.contains("n4ry"), "{told}");
    }
    let told = read(&[("OBJECT_STORE_URL", "s3://pictures?region=eu-central-1")]).err().unwrap();
    assert!(told.contains("OBJECT_STORE_KEY_ID:") && told.contains("OBJECT_STORE_KEY:"), "{told}");
}

#[cfg(feature = "appstore")]
#[test]
fn roots_that_others_can_sign_with_are_for_development() {
    let shop = [
        ("APP_STORE_BUNDLE_ID", "com.example.app"),
        ("APP_STORE_KEY_ID", "KEY"),
        ("APP_STORE_ISSUER_ID", "issuer"),
        ("APP_STORE_PRIVATE_KEY", "key"),
        ("APP_STORE_ROOT_CERTIFICATES", "root.pem"),
    ];
    assert!(read(&shop).is_ok());
    let public = [
        ("HOST", "0.0.0.0"),
        ("PUBLIC_URL", "https://auth.example.com"),
        ("SECRET_KEY", "0123456789abcdefghijklmnopqrstuvwxyz"),
    ];
    assert!(read(&[&shop[..4], &public].concat()).is_ok());
    let told = read(&[&shop[..], &public].concat()).err().unwrap();
    assert!(told.contains("APP_STORE_ROOT_CERTIFICATES"), "{told}");
}

#[test]
fn an_empty_secret_is_a_mistake_and_other_empty_values_are_none() {
    assert!(read(&[("SECRET_KEY", "")]).is_err());
    assert!(read(&[("CORS_ORIGINS", "")]).is_err());
    assert!(read(&[("TRUSTED_PROXIES", ""), ("PORT", "")]).is_ok());
}
