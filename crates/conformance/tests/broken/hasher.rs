//! A hasher with a defect. Its hash is the password, behind a salt, in hex.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use portcullis_domain::ports::{Cancellation, HasherError, PasswordHasher, Turn, Verification};
use portcullis_domain::{Password, PasswordHash};

use super::Defect;

pub(crate) struct BrokenHasher {
    defect: Defect,
    salt: AtomicU32,
}

impl BrokenHasher {
    pub(crate) fn new(defect: Defect) -> Self {
        Self { defect, salt: AtomicU32::new(0) }
    }

    fn heed(&self, turn: &Turn) -> Result<(), HasherError> {
        let is_heeded = self.defect != Defect::WorkForNobody;
        if is_heeded && turn.is_cancelled() { Err(HasherError::Cancelled) } else { Ok(()) }
    }

    /// What of a password is looked at, in hex.
    fn digest(&self, password: &str) -> String {
        let text = match self.defect {
            Defect::FoldCase => password.to_lowercase(),
            _ => password.to_owned(),
        };
        let mut bytes = text.into_bytes();
        match self.defect {
            Defect::CutAt72 => bytes.truncate(72),
            Defect::StopAtNul => bytes = bytes.split(|byte| *byte == 0).next().unwrap().to_vec(),
            _ => {}
        }
        bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}

#[async_trait]
impl PasswordHasher for BrokenHasher {
    fn admit(&self, cancellation: Cancellation) -> Result<Turn, HasherError> {
        Ok(Turn::new(cancellation, ()))
    }

    async fn hash(&self, turn: Turn, password: Password) -> Result<PasswordHash, HasherError> {
        self.heed(&turn)?;
        let salt = match self.defect {
            Defect::NoSalt => 0,
            _ => self.salt.fetch_add(1, Ordering::SeqCst),
        };
        let text = format!("${salt}${}", self.digest(password.expose()));
        Ok(PasswordHash::new(text))
    }

    async fn verify(
        &self,
        turn: Turn,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, HasherError> {
        self.heed(&turn)?;
        let hash = match hash {
            Some(hash) => hash,
            None if self.defect == Defect::WelcomeStrangers => {
                return Ok(Verification::Match { outdated: false });
            }
            None => return Ok(Verification::Mismatch),
        };
        let stored = match hash.expose().rsplit_once('$') {
            Some((_, stored)) => stored,
            None if self.defect == Defect::FailOnDamage => {
                return Err(HasherError::Failed("the hash is damaged".into()));
            }
            None => return Ok(Verification::Mismatch),
        };
        let is_right = stored == self.digest(password.expose());
        Ok(if is_right { Verification::Match { outdated: false } } else { Verification::Mismatch })
    }
}
