//! Password hashing, access token keys, opaque tokens, the system clock and ids.
//!
//! One provider does the cryptography: aws-lc-rs.

mod hashing;
mod opaque_tokens;
mod server_secret;
mod signing;
mod system;

pub use hashing::{
    HashingPool, HashingScheme, NO_PASSWORD, PoolSettings, UnusableHash, check_hash,
};
pub use opaque_tokens::SealedTokens;
pub use server_secret::{ServerSecret, WeakSecret};
pub use signing::{
    JwtAlgorithm, JwtSettings, JwtTokens, KeyFileError, generate_key_file, load_key_files,
};
pub use system::{SystemClock, SystemIds, SystemRandomness};
