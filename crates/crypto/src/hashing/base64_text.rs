//! Base64 as the makers of hashes write it: in either alphabet, padded or not.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// The bytes behind a text, if there are as many as `lengths` permits.
pub(super) fn decode(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<Vec<u8>> {
    // Four characters stand for three bytes: nothing longer is worth decoding.
    if text.len() > lengths.end().div_ceil(3) * 4 {
        return None;
    }
    let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()?;
    lengths.contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_alphabet_with_or_without_padding_is_read() {
        for text in ["+/+/AA==", "-_-_AA==", "+/+/AA", "-_-_AA"] {
            assert_eq!(decode(text, 4..=4), Some(vec![0xfb, 0xff, 0xbf, 0]), "{text}");
        }
    }

    #[test]
    fn too_few_or_too_many_bytes_and_other_characters_are_refused() {
        assert_eq!(decode("AAAA", 4..=8), None);
        assert_eq!(decode("AAAA", 1..=2), None);
        assert_eq!(decode("AA\0A", 1..=8), None);
        assert_eq!(decode("A", 0..=8), None);
        assert_eq!(decode("+_AA", 0..=8), None);
    }
}
