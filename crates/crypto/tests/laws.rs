//! The laws of hashing, of opaque tokens and of access tokens, for every
//! scheme and algorithm, and of time, ids and randomness.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use portcullis_crypto::{
    HashingPool, HashingScheme, JwtAlgorithm, JwtSettings, JwtTokens, PoolSettings, SealedTokens,
    ServerSecret, SystemClock, SystemIds, SystemRandomness, generate_key_file, load_key_files,
};
use portcullis_domain::ports::{AccessTokens, OpaqueTokens, PasswordHasher};

fn pool(scheme: HashingScheme) -> Arc<dyn PasswordHasher> {
    Arc::new(
        HashingPool::start(
            scheme,
            PoolSettings { threads: 2, queue: 64, patience: Duration::from_mins(1) },
        )
        .unwrap(),
    )
}

fn settings() -> JwtSettings {
    JwtSettings { issuer: "http://localhost:8000".into(), audience: "portcullis".into() }
}

fn asymmetric(algorithm: JwtAlgorithm) -> Arc<dyn AccessTokens> {
    let folder = tempfile::tempdir().unwrap();
    generate_key_file(algorithm, folder.path(), "2026-01").unwrap();
    let keys = load_key_files(algorithm, folder.path()).unwrap();
    Arc::new(JwtTokens::asymmetric(settings(), algorithm, keys).unwrap())
}

mod bcrypt_sha256 {
    async fn hasher() -> super::Arc<dyn super::PasswordHasher> {
        super::pool(super::HashingScheme::BcryptSha256 { cost: 4 })
    }
    portcullis_conformance::hasher_laws!(hasher);
}

mod argon2id {
    async fn hasher() -> super::Arc<dyn super::PasswordHasher> {
        super::pool(super::HashingScheme::Argon2id)
    }
    portcullis_conformance::hasher_laws!(hasher);
}

mod sealed {
    async fn tokens() -> super::Arc<dyn super::OpaqueTokens> {
        super::Arc::new(super::SealedTokens::new(&super::ServerSecret::generate(), None))
    }
    portcullis_conformance::opaque_token_laws!(tokens);
}

mod hs256 {
    async fn tokens() -> super::Arc<dyn super::AccessTokens> {
        let secret = super::ServerSecret::generate();
        super::Arc::new(super::JwtTokens::symmetric(super::settings(), &secret, None))
    }
    portcullis_conformance::signing_laws!(tokens);
}

mod eddsa {
    async fn tokens() -> super::Arc<dyn super::AccessTokens> {
        super::asymmetric(super::JwtAlgorithm::EdDsa)
    }
    portcullis_conformance::signing_laws!(tokens);
}

mod es256 {
    async fn tokens() -> super::Arc<dyn super::AccessTokens> {
        super::asymmetric(super::JwtAlgorithm::Es256)
    }
    portcullis_conformance::signing_laws!(tokens);
}

mod rs256 {
    async fn tokens() -> super::Arc<dyn super::AccessTokens> {
        super::asymmetric(super::JwtAlgorithm::Rs256)
    }
    portcullis_conformance::signing_laws!(tokens);
}

mod machine {
    async fn system() -> portcullis_conformance::System {
        portcullis_conformance::System {
            clock: super::Arc::new(super::SystemClock),
            ids: super::Arc::new(super::SystemIds),
            randomness: super::Arc::new(super::SystemRandomness),
        }
    }
    portcullis_conformance::system_laws!(system);
}
