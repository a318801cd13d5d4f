//! Signed URLs of a service that serves a directory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_api_client::BaseUrl;
use portcullis_domain::ObjectName;
use portcullis_domain::object::SignedUrl;
use portcullis_domain::ports::Clock;
use secrecy::{ExposeSecret, SecretSlice};

/// Fewest bytes of a key: as many as the signature has (RFC 2104 §3).
const MIN_KEY: usize = 32;

/// The key is shorter than 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key that signs links must be at least {MIN_KEY} bytes long")]
pub struct ShortKey;

/// Makes links to objects and checks them: `<base>/<name>?expires=…&signature=…`.
///
/// The service at that base URL has to answer them: it takes the path behind the
/// base for the name, and gives out what
/// [`SignedDownloads::open`](portcullis_domain::ports::SignedDownloads::open) finds.
pub struct LocalLinks {
    key: hmac::Key,
    base: BaseUrl,
    clock: Arc<dyn Clock>,
}

impl LocalLinks {
    /// Links below `base`, signed by `key`.
    ///
    /// # Errors
    /// [`ShortKey`] if it is too short to sign with.
    pub fn new(
        key: &SecretSlice<u8>,
        base: BaseUrl,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ShortKey> {
        let key = key.expose_secret();
        if key.len() < MIN_KEY {
            return Err(ShortKey);
        }
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), base, clock })
    }

    /// Where an object would be if it were open to all.
    pub(super) fn plain(&self, name: &ObjectName) -> String {
        let segments: Vec<&str> = name.as_str().split('/').collect();
        self.base.join(&segments).into()
    }

    /// A link that is good for so long, in whole seconds.
    pub(super) fn sign(&self, name: &ObjectName, lifetime: Duration) -> SignedUrl {
        let expires = (self.clock.now() + lifetime).as_seconds();
        let signature = hmac::sign(&self.key, &signed(name, expires));
        let signature = URL_SAFE_NO_PAD.encode(signature);
        SignedUrl::new(format!("{}?expires={expires}&signature={signature}", self.plain(name)))
    }

    /// Whether a link to an object, by the two values of its query, was made here
    /// and is still good. Why not, a caller is not told.
    pub(super) fn is_valid(&self, name: &ObjectName, expires: &str, signature: &str) -> bool {
        let Ok(expires) = expires.parse::<i64>() else { return false };
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        hmac::verify(&self.key, &signed(name, expires), &signature).is_ok()
            && self.clock.now().as_seconds() < expires
    }
}

/// A number has no line end: it cannot be read as part of the name.
fn signed(name: &ObjectName, expires: i64) -> Vec<u8> {
    format!("portcullis object link\n{expires}\n{name}").into_bytes()
}

/// Tells no key.
impl fmt::Debug for LocalLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalLinks").field("base", &self.base).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use portcullis_conformance::build::START;
    use portcullis_conformance::fakes::ManualClock;
    use url::Url;

    use super::*;

    fn links(clock: &Arc<ManualClock>, key: u8) -> LocalLinks {
        let base = "https://auth.example/files".parse().unwrap();
        let key = vec![key; MIN_KEY].into();
        LocalLinks::new(&key, base, Arc::clone(clock) as Arc<dyn Clock>).unwrap()
    }

    /// What a service makes of a link: the name and the values of its query.
    fn parts(link: &SignedUrl) -> (String, String, String) {
        let url = Url::parse(link.expose()).unwrap();
        let mut query = url.query_pairs().map(|(_, value)| value.into_owned());
        let name = url.path().strip_prefix("/files/").unwrap();
        let name = percent_encoding::percent_decode_str(name).decode_utf8().unwrap();
        (name.into_owned(), query.next().unwrap(), query.next().unwrap())
    }

    #[test]
    fn a_link_opens_its_object_until_it_expires() {
        let clock = Arc::new(ManualClock::at(START));
        let links = links(&clock, 1);
        let name = ObjectName::parse("a b/100%?#.png").unwrap();
        let (found, expires, signature) = parts(&links.sign(&name, Duration::from_mins(1)));
        assert_eq!(found, name.as_str());
        assert!(links.is_valid(&name, &expires, &signature));
        clock.advance(Duration::from_secs(59));
        assert!(links.is_valid(&name, &expires, &signature));
        clock.advance(Duration::from_secs(1));
        assert!(!links.is_valid(&name, &expires, &signature));
    }

    #[test]
    fn no_altered_link_opens_anything() {
        let clock = Arc::new(ManualClock::at(START));
        let (ours, theirs) = (links(&clock, 1), links(&clock, 2));
        let (name, other) = (ObjectName::parse("a/b").unwrap(), ObjectName::parse("a/c").unwrap());
        let (_, expires, signature) = parts(&ours.sign(&name, Duration::from_mins(1)));
        let later = (expires.parse::<i64>().unwrap() + 1).to_string();
        let cut = &signature[..signature.len() - 2];
        for (links, name, expires, signature) in [
            (&theirs, &name, expires.as_str(), signature.as_str()),
            (&ours, &other, &expires, &signature),
            (&ours, &name, &later, &signature),
            (&ours, &name, &expires, cut),
            (&ours, &name, &expires, ""),
            (&ours, &name, "", &signature),
            (&ours, &name, "soon", &signature),
        ] {
            assert!(!links.is_valid(name, expires, signature));
        }
    }

    #[test]
    fn a_short_key_signs_nothing_and_no_key_is_told() {
        let clock = Arc::new(ManualClock::at(START));
        let base: BaseUrl = "https://auth.example".parse().unwrap();
        let key = vec![7; MIN_KEY - 1].into();
        let refused = LocalLinks::new(&key, base, Arc::clone(&clock) as Arc<dyn Clock>);
        assert_eq!(refused.err(), Some(ShortKey));
        let told = format!("{:?}", links(&clock, 7));
        assert_eq!(told, "LocalLinks { base: https://auth.example/files/, .. }");
    }
}
