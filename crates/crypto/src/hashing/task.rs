//! What a hashing thread has to do for one password.

use portcullis_bcrypt_lanes::Hashing;

/// Most bytes of a password that bcrypt reads, the zero at its end included.
const MAX_PASSWORD: usize = portcullis_bcrypt_lanes::MAX_PASSWORD;

/// bcrypt's output; stored forms leave its last byte out.
pub(super) type Output = [u8; 24];

/// The way from a password to an answer about it.
pub(super) enum Task<T> {
    /// Rounds of bcrypt, which other passwords can share a core with, and what
    /// follows from their output.
    Rounds(Hashing, Box<dyn FnOnce(Output) -> T>),
    /// Anything else, all in one.
    Whole(Box<dyn FnOnce() -> T>),
}

impl<T: 'static> Task<T> {
    /// So many rounds of bcrypt as two to the power of `cost`. Of the password, 72
    /// bytes count, a zero at its end included if there is room.
    pub(super) fn rounds(
        password: &[u8],
        salt: [u8; 16],
        cost: u32,
        finish: impl FnOnce(Output) -> T + 'static,
    ) -> Self {
        let mut key = zeroize::Zeroizing::new([0; MAX_PASSWORD]);
        let length = password.len().min(MAX_PASSWORD);
        key[..length].copy_from_slice(&password[..length]);
        let hashing = Hashing::new(&key[..(length + 1).min(MAX_PASSWORD)], salt, cost);
        Self::Rounds(hashing, Box::new(finish))
    }

    /// Work that shares a core with nothing.
    pub(super) fn whole(work: impl FnOnce() -> T + 'static) -> Self {
        Self::Whole(Box::new(work))
    }

    /// The same, and then this.
    pub(super) fn map<U: 'static>(self, then: impl FnOnce(T) -> U + 'static) -> Task<U> {
        match self {
            Self::Rounds(hashing, finish) => {
                Task::Rounds(hashing, Box::new(|output| then(finish(output))))
            }
            Self::Whole(work) => Task::Whole(Box::new(|| then(work()))),
        }
    }

    /// Does all of it at once, without company.
    #[cfg(test)]
    pub(super) fn run(self) -> T {
        match self {
            Self::Rounds(mut hashing, finish) => loop {
                if let Some(output) = hashing.output() {
                    return finish(output);
                }
                portcullis_bcrypt_lanes::advance(&mut [&mut hashing], u32::MAX);
            },
            Self::Whole(work) => work(),
        }
    }
}
