//! Password hashing, access token keys, opaque tokens, the system clock and ids.
//!
//! One provider does the cryptography: aws-lc-rs.

mod hashing;
mod opaque_tokens;
mod server_secret;
mod signing;
mod system;

pub use hashing::{HashingPool, HashingScheme, PoolSettings, UnusableHash, check_hash};
pub use opaque_tokens::SealedTokens;
pub use server_secret::{ServerSecret, WeakSecret};
pub use signing::{
    JwtAlgorithm, JwtSettings, JwtTokens, KeyFile, KeyFileError, SigningKey, generate_key_file,
    list_key_files, load_key_files, next_kid, remove_key_file, signer_at, signs_from,
};
pub use system::{SystemClock, SystemIds, SystemRandomness};
