//! Passwords on their way to their hashes.

use std::array;

use zeroize::Zeroize;

use crate::blowfish::{State, Words, expand};

/// Passwords that are worked on side by side at most: more states than four do not
/// fit into a core's first cache, 4 KiB each, with all else that it needs.
pub const MAX_LANES: usize = 4;
/// Most bytes of a password, the zero at its end included.
pub const MAX_PASSWORD: usize = 72;
/// Highest cost: two to this many rounds.
pub const MAX_COST: u32 = 31;

/// `OrpheanBeholderScryDoubt`, which is enciphered at the end.
const TEXT: [[u32; 2]; 3] =
    [[0x4F72_7068, 0x6561_6E42], [0x6568_6F6C, 0x6465_7253], [0x6372_7944, 0x6F75_6274]];

/// A password on its way to its hash.
pub struct Hashing {
    secret: Box<Secret>,
    rounds_left: u32,
}

/// What tells of the password: in one place, however often its hashing is moved, so
/// that nothing of it is left where it was.
struct Secret {
    state: State,
    key: Words,
    salt: Words,
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Hashing {
    /// Begins with a password, whose last byte is usually zero, and so many rounds
    /// as two to the power of `cost`.
    ///
    /// # Panics
    /// When the password is empty or longer than [`MAX_PASSWORD`], or the cost is
    /// over [`MAX_COST`].
    #[must_use]
    pub fn new(password: &[u8], salt: [u8; 16], cost: u32) -> Self {
        assert!((1..=MAX_PASSWORD).contains(&password.len()), "a password has 1 to 72 bytes");
        assert!(cost <= MAX_COST, "the cost is 31 at most");
        let mut secret = Box::new(Secret { state: State::new(), key: [0; 18], salt: [0; 18] });
        let Secret { state, key, salt: salt_words } = &mut *secret;
        fill(key, password);
        fill(salt_words, &salt);
        state.expand_salted(key, [salt_words[0], salt_words[1], salt_words[2], salt_words[3]]);
        Self { secret, rounds_left: 1 << cost }
    }

    /// How many rounds are still to be done.
    #[must_use]
    pub fn rounds_left(&self) -> u32 {
        self.rounds_left
    }

    /// The hash, once no round is left. Stored forms leave its last byte out.
    #[must_use]
    pub fn output(&mut self) -> Option<[u8; 24]> {
        if self.rounds_left > 0 {
            return None;
        }
        let mut output = [0; 24];
        for (mut block, bytes) in TEXT.into_iter().zip(output.chunks_exact_mut(8)) {
            for _ in 0..64 {
                block = self.secret.state.encipher(block);
            }
            bytes[..4].copy_from_slice(&block[0].to_be_bytes());
            bytes[4..].copy_from_slice(&block[1].to_be_bytes());
        }
        Some(output)
    }
}

/// Bytes over and over, as big-endian words.
fn fill(words: &mut Words, bytes: &[u8]) {
    let mut bytes = bytes.iter().copied().cycle();
    for word in words {
        *word = u32::from_be_bytes(std::array::from_fn(|_| bytes.next().unwrap_or_default()));
    }
}

/// Does up to `rounds` rounds of each, fewer if one of them is done sooner; says
/// how many. Passwords that are done are to be taken out before. Of more than
/// [`MAX_LANES`], the first ones go on.
pub fn advance(hashings: &mut [&mut Hashing], rounds: u32) -> u32 {
    let lanes = hashings.len().min(MAX_LANES);
    let hashings = &mut hashings[..lanes];
    let least = hashings.iter().map(|hashing| hashing.rounds_left).min().unwrap_or_default();
    let rounds = rounds.min(least);
    match hashings {
        [a] => run([&mut **a], rounds),
        [a, b] => run([&mut **a, &mut **b], rounds),
        [a, b, c] => run([&mut **a, &mut **b, &mut **c], rounds),
        [a, b, c, d] => run([&mut **a, &mut **b, &mut **c, &mut **d], rounds),
        _ => {}
    }
    rounds
}

/// Works on copies that stand side by side: one register leads to all of them, where a
/// pointer to each would leave too few for the rest.
fn run<const LANES: usize>(hashings: [&mut Hashing; LANES], rounds: u32) {
    let mut states = [const { State::new() }; LANES];
    for (state, hashing) in states.iter_mut().zip(&hashings) {
        state.copy_from(&hashing.secret.state);
    }
    let keys = array::from_fn(|lane| &hashings[lane].secret.key);
    let salts = array::from_fn(|lane| &hashings[lane].secret.salt);
    for _ in 0..rounds {
        expand(&mut states, keys, [0; 4]);
        expand(&mut states, salts, [0; 4]);
    }
    for (state, hashing) in states.iter().zip(hashings) {
        hashing.secret.state.copy_from(state);
        hashing.rounds_left -= rounds;
    }
}
