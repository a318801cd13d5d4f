//! What `admissions.lua` says of one who asked.

use crate::limiter::Taken;

/// What both buckets say, up to a refusal, and what was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) client: Taken,
    pub(super) own: Option<Taken>,
    /// As `find.lua` tells it.
    pub(super) caller: Option<Vec<Vec<u8>>>,
}

/// Three words for each bucket, then version, moment and what is sealed, which may
/// hold any byte.
const PARTS: usize = 9;

impl Told {
    /// `None` if the script could not have said that.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let mut words = text.splitn(PARTS, |byte| *byte == b' ').peekable();
        let client = taken(&mut words)?;
        let own = match words.peek() {
            Some(_) => Some(taken(&mut words)?),
            None => None,
        };
        let caller = words.peek().is_some().then(|| words.map(<[u8]>::to_vec).collect());
        Some(Self { client, own, caller })
    }
}

fn taken<'a>(words: &mut impl Iterator<Item = &'a [u8]>) -> Option<Taken> {
    let mut word = || words.next().and_then(|word| std::str::from_utf8(word).ok());
    Some((word()? == "1", word()?.parse().ok()?, word()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Taken = (true, 3, 1_700_000_000_000_000);
    const OWN: Taken = (true, 1, 1_700_000_000_000_001);

    #[test]
    fn a_refusal_ends_what_is_told() {
        let client = (false, 3, 1_700_000_000_000_000);
        let told = Told::of(b"0 3 1700000000000000").unwrap();
        assert_eq!(told, Told { client, own: None, caller: None });
        let own = Some((false, 9, -1));
        let told = Told::of(b"1 3 1700000000000000 0 9 -1").unwrap();
        assert_eq!(told, Told { client: CLIENT, own, caller: None });
    }

    #[test]
    fn what_is_sealed_may_hold_any_byte() {
        let both = b"1 3 1700000000000000 1 1 1700000000000001".as_slice();
        let of = |found: &[u8]| {
            let told = Told::of(&[both, found].concat()).unwrap();
            assert_eq!((told.client, told.own), (CLIENT, Some(OWN)));
            told.caller.unwrap()
        };
        assert_eq!(of(b" ab 17"), [b"ab".to_vec(), b"17".to_vec()]);
        let sealed = b" \0 \xff  ".to_vec();
        let found = of(&[b" ab 17 ".as_slice(), &sealed].concat());
        assert_eq!(found, [b"ab".to_vec(), b"17".to_vec(), sealed]);
    }

    #[test]
    fn what_the_script_cannot_have_said_means_nothing() {
        for text in ["", "1", "1 3", "1 -3 5", "1 3 x", "1 3 5 ", "1 3 5 1", "1 3 5 1 2"] {
            assert_eq!(Told::of(text.as_bytes()), None, "{text}");
        }
    }
}
