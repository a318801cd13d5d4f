//! Digests of what passes through.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use md5::{Digest as _, Md5};
use portcullis_domain::object::Checksums;

/// Digests of bytes that come piece by piece.
pub(crate) struct Digests {
    md5: Md5,
    sha1: Context,
    sha256: Context,
    crc32c: Crc,
    length: u64,
}

impl Digests {
    pub(crate) fn new() -> Self {
        Self {
            md5: Md5::new(),
            sha1: Context::new(&SHA1_FOR_LEGACY_USE_ONLY),
            sha256: Context::new(&SHA256),
            crc32c: Crc::new(CrcAlgorithm::Crc32Iscsi),
            length: 0,
        }
    }

    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.md5.update(piece);
        self.sha1.update(piece);
        self.sha256.update(piece);
        self.crc32c.update(piece);
        self.length += piece.len() as u64;
    }

    /// How many bytes there were, and all their digests.
    pub(crate) fn finish(self) -> (u64, Checksums) {
        let checksums = Checksums {
            md5: Some(self.md5.finalize().into()),
            sha1: self.sha1.finish().as_ref().try_into().ok(),
            sha256: self.sha256.finish().as_ref().try_into().ok(),
            // Of 32 bits.
            crc32c: u32::try_from(self.crc32c.finalize()).ok(),
        };
        (self.length, checksums)
    }
}

/// The one digest that Google compares with an upload.
pub(crate) fn md5_of(content: &[u8]) -> [u8; 16] {
    Md5::digest(content).into()
}

/// In lower case.
pub(crate) fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Reads as many bytes as are wanted, in either case.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut digest = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (number, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * number..2 * number + 2)?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_published_ones() {
        let mut digests = Digests::new();
        digests.update(b"The quick brown fox ");
        digests.update(b"jumps over the lazy dog");
        let (length, checksums) = digests.finish();
        assert_eq!(length, 43);
        assert_eq!(hex(&checksums.md5.unwrap()), "9e107d9d372bb6826bd81d3542a419d6");
        assert_eq!(hex(&checksums.sha1.unwrap()), "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12");
        assert!(hex(&checksums.sha256.unwrap()).starts_with("d7a8fbb307d78094"));
        assert_eq!(checksums.crc32c, Some(0x2262_0404));
        let whole = md5_of(b"The quick brown fox jumps over the lazy dog");
        assert_eq!(checksums.md5, Some(whole));
    }

    #[test]
    fn hex_is_read_back() {
        assert_eq!(from_hex(&hex(&[0, 0x7f, 0xff])), Some([0, 0x7f, 0xff]));
        assert_eq!(from_hex("FF"), Some([0xff]));
        for text in ["", "f", "fff", "+f", "zz", "é"] {
            assert_eq!(from_hex::<1>(text), None, "{text}");
        }
    }
}
