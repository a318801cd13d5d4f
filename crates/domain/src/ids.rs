//! Identifiers of our own making, one type each so that they cannot be mixed up.

use std::fmt;

use uuid::Uuid;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

identifier! {
    /// Names a user; the `sub` claim and contract A's `id`. A version 7 UUID.
    UserId
}
identifier! {
    /// Names a session; the `sid` claim.
    SessionId
}
identifier! {
    /// Names one access token; the `jti` claim.
    AccessTokenId
}
identifier! {
    /// Names a letter in the outbox; its mail's `Message-ID` is made of it.
    LetterId
}
identifier! {
    /// Names a background job.
    JobId
}

/// Contract B's integer `id` of a user: counted by the store, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserNumber(i64);

impl UserNumber {
    /// Wraps a number that a store has counted.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number inside.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}
