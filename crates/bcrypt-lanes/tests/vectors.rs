//! What comes out is what the bcrypt crate gives, and what was published.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine;
use bcrypt::BASE_64;
use portcullis_bcrypt_lanes::{Hashing, MAX_LANES, advance};

/// Reproducible numbers: Marsaglia's xorshift, 64 bits.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

/// Works on passwords of different costs together, as a pool would: whoever is
/// done makes room for the next.
fn all_at_once(jobs: &[(Vec<u8>, [u8; 16], u32)], lanes: usize, step: u32) -> Vec<[u8; 24]> {
    let mut outputs = vec![[0; 24]; jobs.len()];
    let mut waiting = jobs.iter().enumerate();
    let mut working: Vec<(usize, Hashing)> = Vec::new();
    loop {
        while working.len() < lanes {
            let Some((number, (password, salt, cost))) = waiting.next() else { break };
            working.push((number, Hashing::new(password, *salt, *cost)));
        }
        if working.is_empty() {
            return outputs;
        }
        let mut together: Vec<&mut Hashing> =
            working.iter_mut().map(|(_, hashing)| hashing).collect();
        assert!(advance(&mut together, step) > 0);
        working.retain_mut(|(number, hashing)| match hashing.output() {
            Some(output) => {
                outputs[*number] = output;
                false
            }
            None => true,
        });
    }
}

fn agrees(seed: u64, vectors: usize) {
    let mut dice = Dice(seed);
    let mut left = vectors;
    while left > 0 {
        let count = left.min(64);
        left -= count;
        let jobs: Vec<_> = (0..count)
            .map(|_| {
                let length = 1 + dice.below(72);
                let salt = dice.bytes(16).try_into().unwrap();
                // Few rounds each: it is the state that may go wrong.
                (dice.bytes(length), salt, u32::try_from(dice.below(3)).unwrap())
            })
            .collect();
        let lanes = 1 + usize::try_from(dice.below(MAX_LANES as u64)).unwrap();
        let step = 1 + u32::try_from(dice.below(3)).unwrap();
        let outputs = all_at_once(&jobs, lanes, step);
        for ((password, salt, cost), output) in jobs.iter().zip(outputs) {
            let expected = bcrypt::bcrypt(*cost, *salt, password);
            assert_eq!(output, expected, "{lanes} lanes, cost {cost}: {password:?} {salt:?}");
        }
    }
}

#[test]
fn fifty_thousand_passwords_come_out_as_from_the_bcrypt_crate() {
    agrees(0x9E37_79B9_7F4A_7C15, 50_000);
}

#[test]
fn fifty_thousand_others_do_too() {
    agrees(0xD1B5_4A32_D192_ED03, 50_000);
}

/// From the tests of jBCrypt, which many implementations share.
#[test]
fn what_was_published_comes_out() {
    for (password, hash) in [
        ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
        ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
        ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
        (
            "abcdefghijklmnopqrstuvwxyz",
            "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC",
        ),
        (
            "~!@#$%^&*()      ~!@#$%^&*()PNBFRD",
            "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO",
        ),
    ] {
        let salt = BASE_64.decode(&hash[7..29]).unwrap().try_into().unwrap();
        let mut hashing = Hashing::new(&[password.as_bytes(), b"\0"].concat(), salt, 6);
        assert_eq!(hashing.output(), None);
        while advance(&mut [&mut hashing], 1_000) > 0 {}
        let output = hashing.output().unwrap();
        assert_eq!(BASE_64.encode(&output[..23]), hash[29..], "{password:?}");
    }
}

#[test]
fn nothing_is_done_for_nobody_and_no_more_than_is_left() {
    assert_eq!(advance(&mut [], 5), 0);
    let mut two = [4, 2].map(|cost| Hashing::new(b"x\0", [0; 16], cost));
    let [first, second] = &mut two;
    assert_eq!(advance(&mut [first, second], 100), 4);
    assert_eq!((first.rounds_left(), second.rounds_left()), (12, 0));
    assert!(first.output().is_none() && second.output().is_some());
    assert_eq!(advance(&mut [first, second], 100), 0);
}
