//! Signing keys that come and go while the server runs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portcullis_crypto::{
    JwtAlgorithm, JwtSettings, JwtTokens, KeyFile, KeyFileError, SigningKey, list_key_files,
    load_key_files, signs_from,
};
use portcullis_domain::Timestamp;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::Clock;
use tracing::{error, info};

/// How long a key that was put there by hand signs nothing after it was found: other
/// instances find it a moment later.
const SETTLING: Duration = Duration::from_secs(10);

/// Looks at the folder of keys, and has tokens signed and verified by what lies there.
pub(crate) struct KeyWatch {
    folder: PathBuf,
    algorithm: JwtAlgorithm,
    tokens: Arc<JwtTokens>,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

/// What lay there when it was looked at last.
struct Seen {
    files: Vec<KeyFile>,
    /// The keys that are in use, each with the time before which it signs nothing.
    keys: HashMap<String, Option<Timestamp>>,
    is_failing: bool,
    /// What lay there when it failed.
    failing: Vec<KeyFile>,
}

impl KeyWatch {
    /// Tokens by the keys of a folder, and who looks for others there.
    pub(crate) fn open(
        settings: JwtSettings,
        algorithm: JwtAlgorithm,
        folder: PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<JwtTokens>, Self), KeyFileError> {
        // What comes between the two is seen at the next look.
        let files = list_key_files(&folder)?;
        let loaded = load_key_files(algorithm, &folder)?;
        // Whoever starts has no older key to go on with: the last signs (contract).
        let keys = loaded.iter().map(|key| (key.kid().to_owned(), None)).collect();
        let tokens = JwtTokens::asymmetric(settings, algorithm, loaded);
        let tokens = Arc::new(tokens.ok_or_else(|| KeyFileError::Empty(folder.clone()))?);
        let seen = Mutex::new(Seen { files, keys, is_failing: false, failing: Vec::new() });
        Ok((Arc::clone(&tokens), Self { folder, algorithm, tokens, clock, seen }))
    }

    /// Looks once. What cannot be used changes nothing: the keys that are in use stay.
    pub(crate) fn look(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match self.renew(&mut seen) {
            Ok(()) => seen.is_failing = false,
            Err(error) => {
                if !seen.is_failing {
                    let cause = with_causes(&error);
                    error!(
                        cause,
                        "JWT_KEYS_DIR cannot be used; going on with the keys from before"
                    );
                }
                seen.is_failing = true;
            }
        }
    }

    fn renew(&self, seen: &mut Seen) -> Result<(), KeyFileError> {
        let files = list_key_files(&self.folder)?;
        if files == seen.files {
            return Ok(());
        }
        let now = self.clock.now();
        let loaded = match load_key_files(self.algorithm, &self.folder) {
            Ok(loaded) => loaded,
            Err(error) => {
                self.drop_removed(seen, &files);
                // Told again whenever the folder has changed.
                seen.is_failing &= seen.failing == files;
                seen.failing = files;
                return Err(error);
            }
        };
        let mut keys = HashMap::new();
        let settled = loaded.into_iter().map(|key| {
            let known = seen.keys.get(key.kid()).copied();
            let not_before =
                known.unwrap_or_else(|| (!is_to_come(&key, now)).then(|| now + SETTLING));
            settle(key, not_before, &mut keys)
        });
        if self.tokens.replace_keys(settled.collect()) {
            let kids: Vec<_> = files.iter().map(|file| file.kid.as_str()).collect();
            info!(keys = kids.join(", "), "the signing keys have changed");
        }
        *seen = Seen { files, keys, is_failing: false, failing: Vec::new() };
        Ok(())
    }

    /// A file that cannot be used keeps no key alive that is gone.
    fn drop_removed(&self, seen: &mut Seen, files: &[KeyFile]) {
        let is_there = |kid: &str| files.iter().any(|file| file.kid == kid);
        if self.tokens.keep_keys(is_there) {
            info!("a signing key is gone");
            seen.keys.retain(|kid, _| is_there(kid));
        }
    }
}

/// Notes from when on a key may sign here, beside what its name says.
fn settle(
    key: SigningKey,
    not_before: Option<Timestamp>,
    keys: &mut HashMap<String, Option<Timestamp>>,
) -> SigningKey {
    keys.insert(key.kid().to_owned(), not_before);
    match not_before {
        Some(moment) => key.not_before(moment),
        None => key,
    }
}

/// Whether a key that was made by `keys rotate` came before the time in its name.
fn is_to_come(key: &SigningKey, now: Timestamp) -> bool {
    signs_from(key.kid()).is_some_and(|from| from > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    use portcullis_crypto::generate_key_file;
    use portcullis_domain::ports::AccessTokens;
    use portcullis_domain::{AccessClaims, AccessTokenId, SessionId, UserId};
    use secrecy::ExposeSecret;

    struct Fixed(Mutex<Timestamp>);

    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    fn signed(tokens: &JwtTokens, at: Timestamp) -> String {
        let claims = AccessClaims {
            user: UserId::new(uuid::Uuid::from_u128(1)),
            session: SessionId::new(uuid::Uuid::from_u128(2)),
            id: AccessTokenId::new(uuid::Uuid::from_u128(3)),
            issued_at: at,
            expires_at: at + Duration::from_mins(1),
        };
        tokens.sign(claims).unwrap().expose_secret().to_owned()
    }

    /// Ed25519 signs the same claims with the same key alike.
    #[test]
    fn keys_come_and_go_and_one_made_by_hand_waits_until_all_have_seen_it() {
        let folder = tempfile::tempdir().unwrap();
        let (algorithm, place) = (JwtAlgorithm::EdDsa, folder.path());
        generate_key_file(algorithm, place, "a").unwrap();
        let now = Timestamp::from_seconds(1_800_000_000);
        let clock = Arc::new(Fixed(Mutex::new(now)));
        let said = JwtSettings { issuer: "i".into(), audience: "a".into() };
        let (tokens, watch) =
            KeyWatch::open(said, algorithm, place.to_owned(), clock.clone()).unwrap();
        let before = signed(&tokens, now);

        generate_key_file(algorithm, place, "b").unwrap();
        watch.look();
        assert!(tokens.public_keys().contains("\"b\""));
        assert_eq!(signed(&tokens, now), before);
        *clock.0.lock().unwrap() = now + Duration::from_mins(5);
        watch.look();
        let later = now + SETTLING;
        let after = signed(&tokens, later);
        assert!(tokens.verify(&after, later).is_ok());
        std::fs::write(place.join("c.pem"), "no key").unwrap();
        watch.look();
        assert_eq!(signed(&tokens, later), after, "what cannot be used changes nothing");
        // A key that is gone is gone, whatever else lies there.
        std::fs::remove_file(place.join("a.pem")).unwrap();
        watch.look();
        assert_eq!(signed(&tokens, later), after);
        assert!(tokens.verify(&before, now).is_err());
        std::fs::remove_file(place.join("c.pem")).unwrap();
        watch.look();
        assert_eq!(signed(&tokens, later), after);
    }
}
