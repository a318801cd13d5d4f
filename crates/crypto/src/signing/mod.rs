//! Access tokens as JSON Web Tokens, and the keys that sign them.

mod claims;
mod key_files;
mod keys;
mod tokens;

pub use key_files::{KeyFileError, generate_key_file, load_key_files};
pub use keys::JwtAlgorithm;
pub use tokens::{JwtSettings, JwtTokens};
