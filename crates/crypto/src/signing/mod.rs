//! Access tokens as JSON Web Tokens, and the keys that sign them.

mod claims;
mod key_files;
mod keys;
mod rotation;
mod tokens;
mod verified;

pub use key_files::{
    KeyFile, KeyFileError, generate_key_file, list_key_files, load_key_files, remove_key_file,
};
pub use keys::{JwtAlgorithm, SigningKey};
pub use rotation::{next_kid, signer_at, signs_from};
pub use tokens::{JwtSettings, JwtTokens};
