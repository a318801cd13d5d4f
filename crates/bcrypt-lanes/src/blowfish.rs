//! Blowfish's key schedule, for several keys side by side.
//!
//! B. Schneier, "Description of a New Variable-Length Key, 64-Bit Block Cipher"
//! (1993); bcrypt's changes to it are of N. Provos and D. Mazières, "A
//! Future-Adaptable Password Scheme" (1999).

#![expect(
    clippy::inline_always,
    reason = "the steps of all lanes have to stand in one loop, or they do not wait together"
)]

use std::array;

use zeroize::Zeroize;

use crate::pi;

/// What a key schedule works on, and a cipher at its end.
pub(crate) struct State {
    subkeys: [u32; 18],
    tables: [[u32; 256]; 4],
}

/// A key or a salt, over and over, as many words as there are subkeys.
pub(crate) type Words = [u32; 18];

impl State {
    pub(crate) const fn new() -> Self {
        Self { subkeys: pi::SUBKEYS, tables: pi::TABLES }
    }

    /// Becomes the other one, in its own place: what is wiped there is left nowhere else.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.subkeys.copy_from_slice(&other.subkeys);
        self.tables.copy_from_slice(&other.tables);
    }

    /// The round function. Bytes cannot miss a table of 256 words.
    #[inline(always)]
    fn f(&self, word: u32) -> u32 {
        let [a, b, c, d] = word.to_be_bytes().map(usize::from);
        let [first, second, third, fourth] = &self.tables;
        (first[a].wrapping_add(second[b]) ^ third[c]).wrapping_add(fourth[d])
    }

    /// Enciphers one block.
    pub(crate) fn encipher(&mut self, block: [u32; 2]) -> [u32; 2] {
        let [mut left, mut right] = block.map(|word| [word]);
        encipher(array::from_mut(self), &mut left, &mut right);
        [left[0], right[0]]
    }

    /// Mixes in a key, and a salt of four words with each block.
    pub(crate) fn expand_salted(&mut self, key: &Words, salt: [u32; 4]) {
        expand(array::from_mut(self), [key], salt);
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.subkeys.zeroize();
        self.tables.zeroize();
    }
}

/// Enciphers a block of each lane: a round of all before the next.
#[inline(always)]
fn encipher<const LANES: usize>(
    states: &[State; LANES],
    left: &mut [u32; LANES],
    right: &mut [u32; LANES],
) {
    for pair in 0..8 {
        for lane in 0..LANES {
            left[lane] ^= states[lane].subkeys[2 * pair];
            right[lane] ^= states[lane].f(left[lane]);
        }
        for lane in 0..LANES {
            right[lane] ^= states[lane].subkeys[2 * pair + 1];
            left[lane] ^= states[lane].f(right[lane]);
        }
    }
    for lane in 0..LANES {
        let last = left[lane] ^ states[lane].subkeys[16];
        left[lane] = right[lane] ^ states[lane].subkeys[17];
        right[lane] = last;
    }
}

/// Mixes a key into each lane's state. All salts but that of the first mixing
/// are nothing.
#[inline(always)]
pub(crate) fn expand<const LANES: usize>(
    states: &mut [State; LANES],
    keys: [&Words; LANES],
    salt: [u32; 4],
) {
    for (state, key) in states.iter_mut().zip(keys) {
        for (subkey, word) in state.subkeys.iter_mut().zip(key) {
            *subkey ^= word;
        }
    }
    let (mut left, mut right) = ([0; LANES], [0; LANES]);
    for pair in 0..9 {
        mix(states, &mut left, &mut right, salt, pair);
        for lane in 0..LANES {
            states[lane].subkeys[2 * pair] = left[lane];
            states[lane].subkeys[2 * pair + 1] = right[lane];
        }
    }
    for table in 0..4 {
        for pair in 0..128 {
            // Nine blocks went before the tables, and each table has an even number.
            mix(states, &mut left, &mut right, salt, pair + 1);
            for lane in 0..LANES {
                states[lane].tables[table][2 * pair] = left[lane];
                states[lane].tables[table][2 * pair + 1] = right[lane];
            }
        }
    }
}

/// The next block: the one before, with the half of the salt whose turn it is.
#[inline(always)]
fn mix<const LANES: usize>(
    states: &[State; LANES],
    left: &mut [u32; LANES],
    right: &mut [u32; LANES],
    salt: [u32; 4],
    number: usize,
) {
    let [first, second] =
        if number.is_multiple_of(2) { [salt[0], salt[1]] } else { [salt[2], salt[3]] };
    for lane in 0..LANES {
        left[lane] ^= first;
        right[lane] ^= second;
    }
    encipher(states, left, right);
}
