//! What cryptography costs a request: `just bench`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_conformance::build::START;
use portcullis_crypto::{
    HashingPool, HashingScheme, JwtAlgorithm, JwtSettings, JwtTokens, PoolSettings, SealedTokens,
    ServerSecret, generate_key_file, load_key_files,
};
use portcullis_domain::ports::{AccessTokens, Cancellation, OpaqueTokens, PasswordHasher};
use portcullis_domain::{
    AccessClaims, AccessTokenId, Password, RefreshToken, Seed, SessionId, UserId,
};
use secrecy::ExposeSecret;
use uuid::Uuid;

fn settings() -> JwtSettings {
    JwtSettings { issuer: "http://localhost:8000".into(), audience: "portcullis".into() }
}

fn claims() -> AccessClaims {
    AccessClaims {
        user: UserId::new(Uuid::from_u128(1)),
        session: SessionId::new(Uuid::from_u128(2)),
        id: AccessTokenId::new(Uuid::from_u128(3)),
        issued_at: START,
        expires_at: START + Duration::from_mins(30),
    }
}

fn access_tokens(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let mut all = vec![(
        "HS256".to_owned(),
        JwtTokens::symmetric(settings(), &ServerSecret::generate(), None),
    )];
    for algorithm in [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256] {
        let keys = folder.path().join(algorithm.name());
        generate_key_file(algorithm, &keys, "key").unwrap();
        let keys = load_key_files(algorithm, &keys).unwrap();
        let tokens = JwtTokens::asymmetric(settings(), algorithm, keys).unwrap();
        all.push((algorithm.name().to_owned(), tokens));
    }
    for (name, tokens) in &all {
        let token = tokens.sign(claims()).unwrap();
        criterion.bench_function(&format!("verify an access token, {name}"), |bencher| {
            bencher.iter(|| tokens.verify(black_box(token.expose_secret()), START).unwrap());
        });
        criterion.bench_function(&format!("sign an access token, {name}"), |bencher| {
            bencher.iter(|| tokens.sign(black_box(claims())).unwrap());
        });
    }
}

fn refresh_tokens(criterion: &mut Criterion) {
    let tokens = SealedTokens::new(&ServerSecret::generate(), None);
    let token = RefreshToken::first(SessionId::new(Uuid::from_u128(1)), Seed([3; 16]));
    let sealed = tokens.seal(&token);
    criterion.bench_function("unseal a refresh token", |bencher| {
        bencher.iter(|| tokens.unseal(black_box(sealed.expose_secret())).unwrap());
    });
}

fn passwords(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let password = Password::parse("SecurePass123!").unwrap();
    let schemes = [
        ("bcrypt-sha256, cost 12", HashingScheme::BcryptSha256 { cost: 12 }),
        ("argon2id, 19 MiB, two passes", HashingScheme::Argon2id),
    ];
    for (name, scheme) in schemes {
        let pool = HashingPool::start(
            scheme,
            PoolSettings { threads: 1, queue: 1, patience: Duration::from_mins(1) },
        )
        .unwrap();
        criterion.bench_function(&format!("hash a password, {name}"), |bencher| {
            bencher.iter(|| {
                let turn = pool.admit(Cancellation::default()).unwrap();
                runtime.block_on(pool.hash(turn, password.clone())).unwrap()
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = access_tokens, refresh_tokens, passwords
}
criterion_main!(benches);
