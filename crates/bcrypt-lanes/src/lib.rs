//! bcrypt for several passwords at a time on one core.
//!
//! bcrypt is a chain: each step looks up words whose places the step before has
//! worked out, so a core waits most of the time. Independent passwords can wait
//! together. [`advance`] takes up to [`MAX_LANES`] of them and does each step for
//! all before the next; what comes out is what would have come out one by one,
//! and a password that is alone is as fast as ever.
//!
//! ```
//! use portcullis_bcrypt_lanes::{Hashing, advance};
//!
//! let mut ann = Hashing::new(b"correct horse\0", [1; 16], 4);
//! let mut bob = Hashing::new(b"battery staple\0", [2; 16], 4);
//! while ann.output().is_none() {
//!     advance(&mut [&mut ann, &mut bob], 8);
//! }
//! assert_ne!(ann.output(), bob.output());
//! ```
//!
//! The state is wiped when it is dropped. Outputs are secrets of a kind: whoever
//! compares them does so in constant time.

mod blowfish;
mod hashing;
mod pi;

pub use hashing::{Hashing, MAX_COST, MAX_LANES, MAX_PASSWORD, advance};
