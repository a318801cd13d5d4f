//! Password hashing: schemes, and the bounded pool of threads that computes them.

mod argon2id;
mod base64_text;
mod bcrypt_plain;
mod bcrypt_sha256;
mod django_pbkdf2;
mod firebase_scrypt;
mod pool;
mod scheme;
mod scrypt;
mod task;
mod unusable;
mod worker;

pub use pool::{HashingPool, PoolSettings};
pub use scheme::{HashingScheme, check_hash};
pub use unusable::UnusableHash;
