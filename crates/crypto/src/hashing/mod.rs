//! Password hashing: schemes, and the bounded pool of threads that computes them.

mod argon2id;
mod bcrypt_plain;
mod bcrypt_sha256;
mod pool;
mod scheme;

pub use pool::{HashingPool, PoolSettings};
pub use scheme::HashingScheme;
