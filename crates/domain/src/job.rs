//! Jobs: work that somebody owes and nobody waits for.

use crate::{JobId, PasswordHash, SessionId, Timestamp, UserId};

/// Most demo users that one order adds: some thousands are added a second, so
/// that this many take minutes, and a number mistyped does not take hours.
pub const MAX_DEMO_USERS: u32 = 1_000_000;

/// Something to be done in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// Tell a user's devices that a session was opened.
    SignInNotice {
        /// Whose session it is.
        user: UserId,
        /// The session.
        session: SessionId,
    },
    /// Add demo users.
    SeedUsers(DemoUsers),
}

/// Demo users that are to be there, by their numbers: each has one name, one
/// address and one username, whoever adds it, and however often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoUsers {
    /// The number of the first.
    pub first: u64,
    /// How many there are, from the first on; at most [`MAX_DEMO_USERS`].
    pub count: u32,
    /// The hash of the password that they share.
    pub password_hash: PasswordHash,
}

impl DemoUsers {
    /// Their numbers.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        let first = self.first;
        (0..u64::from(self.count)).map(move |number| first.saturating_add(number))
    }

    /// The first `most` of them, and the others if there are any.
    #[must_use]
    pub fn split(&self, most: usize) -> (Self, Option<Self>) {
        let count = u32::try_from(most).unwrap_or(u32::MAX).min(self.count);
        let others = Self {
            first: self.first.saturating_add(count.into()),
            count: self.count - count,
            ..self.clone()
        };
        (Self { count, ..self.clone() }, Some(others).filter(|others| others.count > 0))
    }
}

/// The stored text is not a job that this version knows: it is damaged, or a
/// newer version wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job of the kind {kind:?} cannot be read; a newer version may have written it")]
pub struct UnknownJob {
    /// What kind of job it says it is.
    pub kind: String,
}

impl Job {
    const SIGN_IN_NOTICE: &str = "sign_in_notice";
    const SEED_USERS: &str = "seed_users";

    /// The word for its kind. Kinds take turns.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SignInNotice { .. } => Self::SIGN_IN_NOTICE,
            Self::SeedUsers(_) => Self::SEED_USERS,
        }
    }

    /// All that has to be known besides its kind, as a text without a line's end.
    ///
    /// It may hold a password's hash: it is for a store, not for a log.
    #[must_use]
    pub fn payload(&self) -> String {
        match self {
            Self::SignInNotice { user, session } => format!("{user} {session}"),
            Self::SeedUsers(DemoUsers { first, count, password_hash }) => {
                format!("{first} {count} {}", password_hash.expose())
            }
        }
    }

    /// Reads a job as it was stored.
    ///
    /// # Errors
    /// [`UnknownJob`] when this version cannot have written it.
    pub fn read(kind: &str, payload: &str) -> Result<Self, UnknownJob> {
        let read = match kind {
            Self::SIGN_IN_NOTICE => sign_in_notice(payload),
            Self::SEED_USERS => demo_users(payload).map(Self::SeedUsers),
            _ => None,
        };
        read.ok_or_else(|| UnknownJob { kind: kind.to_owned() })
    }
}

fn sign_in_notice(payload: &str) -> Option<Job> {
    let (user, session) = payload.split_once(' ')?;
    Some(Job::SignInNotice {
        user: UserId::new(user.parse().ok()?),
        session: SessionId::new(session.parse().ok()?),
    })
}

fn demo_users(payload: &str) -> Option<DemoUsers> {
    let mut fields = payload.splitn(3, ' ');
    let first: u64 = fields.next()?.parse().ok()?;
    let count: u32 = fields.next()?.parse().ok().filter(|count| *count <= MAX_DEMO_USERS)?;
    first.checked_add(count.into())?;
    let hash = fields.next()?.to_owned();
    Some(DemoUsers { first, count, password_hash: PasswordHash::new(hash) })
}

/// A job that is to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Its name.
    pub id: JobId,
    /// What is to be done.
    pub job: Job,
    /// What it is known by to whoever might queue it a second time: of all jobs
    /// with one key that are kept at a time, only the first is.
    pub key: Option<String>,
    /// When it was ordered; it is due at once.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn jobs() -> [Job; 2] {
        let hash = PasswordHash::new("$scheme$rounds=4, salt$hash".into());
        [
            Job::SignInNotice {
                user: UserId::new(Uuid::from_u128(1)),
                session: SessionId::new(Uuid::from_u128(2)),
            },
            Job::SeedUsers(DemoUsers {
                first: u64::MAX - u64::from(MAX_DEMO_USERS),
                count: MAX_DEMO_USERS,
                password_hash: hash,
            }),
        ]
    }

    #[test]
    fn a_job_is_read_as_it_was_written() {
        for job in jobs() {
            assert!(!job.payload().contains('\n'));
            assert_eq!(Job::read(job.kind(), &job.payload()), Ok(job));
        }
    }

    #[test]
    fn what_this_version_cannot_have_written_is_no_job() {
        for (kind, payload) in [
            ("", ""),
            ("make_coffee", "1 2 3"),
            ("sign_in_notice", ""),
            ("sign_in_notice", "00000000-0000-0000-0000-000000000001"),
            ("sign_in_notice", "00000000-0000-0000-0000-000000000001 x"),
            ("seed_users", ""),
            ("seed_users", "1"),
            ("seed_users", "1 2"),
            ("seed_users", "-1 2 hash"),
            ("seed_users", "1 4294967296 hash"),
            ("seed_users", "1 1000001 hash"),
            ("seed_users", "18446744073709551615 1 hash"),
        ] {
            let read = Job::read(kind, payload);
            assert_eq!(read, Err(UnknownJob { kind: kind.to_owned() }), "{payload:?}");
        }
    }

    #[test]
    fn an_order_is_split_into_what_comes_first_and_what_is_left() {
        let order = |first, count| DemoUsers {
            first,
            count,
            password_hash: PasswordHash::new("hash".into()),
        };
        assert_eq!(order(7, 5).split(2), (order(7, 2), Some(order(9, 3))));
        assert_eq!(order(7, 5).split(5), (order(7, 5), None));
        assert_eq!(order(7, 5).split(usize::MAX), (order(7, 5), None));
        assert_eq!(order(7, 3).numbers().collect::<Vec<_>>(), [7, 8, 9]);
    }

    #[test]
    fn debug_tells_no_hash() {
        assert!(jobs().iter().all(|job| !format!("{job:?}").contains("salt")));
    }
}
