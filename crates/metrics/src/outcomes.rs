//! What became of things.

use crate::label::{Label, labels};

labels! {
    /// What became of a login.
    LoginOutcome {
        /// A session was opened.
        Success = "success",
        /// No such account, a wrong password, or an ID token that is not good.
        BadCredentials = "bad_credentials",
        /// Too many failures before.
        Locked = "locked",
        /// The address is not proven.
        Unverified = "unverified",
        /// The account is disabled.
        Inactive = "inactive",
        /// Refused by a rate limit, unread.
        Limited = "limited",
        /// Too many passwords wait to be hashed.
        Overloaded = "overloaded",
        /// The client hung up before its password was hashed.
        Abandoned = "abandoned",
        /// A dependency is away.
        Unavailable = "unavailable",
        /// A defect of ours.
        Failed = "failed",
    }

    /// What became of a refresh token.
    RefreshOutcome {
        /// The next one was given out.
        Rotated = "rotated",
        /// It stays as it is (contract B).
        Kept = "kept",
        /// Its successor was given out once more, within the grace.
        Replayed = "replayed",
        /// It was used before: its session is over.
        Reused = "reused",
        /// Made up, unknown, expired or ended.
        Refused = "refused",
        /// A dependency is away.
        Unavailable = "unavailable",
        /// A defect of ours.
        Failed = "failed",
    }

    /// What became of a registration.
    RegistrationOutcome {
        /// There is a new account.
        Success = "success",
        /// The address or the username is somebody's.
        Taken = "taken",
        /// The password may not be chosen.
        WeakPassword = "weak_password",
        /// Too many passwords wait to be hashed.
        Overloaded = "overloaded",
        /// The client hung up before its password was hashed.
        Abandoned = "abandoned",
        /// A dependency is away.
        Unavailable = "unavailable",
        /// A defect of ours.
        Failed = "failed",
    }

    /// What became of a step of proving an address.
    VerificationOutcome {
        /// Another mail was asked for.
        Requested = "requested",
        /// The address is proven.
        Verified = "verified",
        /// The token is not good.
        Refused = "refused",
        /// A dependency is away.
        Unavailable = "unavailable",
        /// A defect of ours.
        Failed = "failed",
    }

    /// What became of a step of a password reset.
    ResetOutcome {
        /// A mail was asked for.
        Requested = "requested",
        /// There is a new password.
        Confirmed = "confirmed",
        /// The token is not good.
        Refused = "refused",
        /// The password may not be chosen.
        WeakPassword = "weak_password",
        /// Too many passwords wait to be hashed.
        Overloaded = "overloaded",
        /// The client hung up before its password was hashed.
        Abandoned = "abandoned",
        /// A dependency is away.
        Unavailable = "unavailable",
        /// A defect of ours.
        Failed = "failed",
    }

    /// What became of a logout.
    LogoutOutcome {
        /// The session is over.
        Success = "success",
        /// The refresh token is not the caller's.
        Refused = "refused",
        /// The session was over before.
        AlreadyEnded = "already_ended",
        /// A dependency is away.
        Unavailable = "unavailable",
        /// A defect of ours.
        Failed = "failed",
    }

    /// What became of a mail.
    MailOutcome {
        /// A provider took it.
        Sent = "sent",
        /// It was owed to nobody.
        Dropped = "dropped",
        /// It is tried again.
        Postponed = "postponed",
        /// It was given up.
        Buried = "buried",
        /// It was given back untried, since the server stops.
        Released = "released",
        /// What became of it could not be stored.
        Failed = "failed",
    }

    /// What became of a job.
    JobOutcome {
        /// It is done.
        Done = "done",
        /// There was nothing to do.
        Dropped = "dropped",
        /// It is tried again.
        Postponed = "postponed",
        /// It was given up.
        Buried = "buried",
        /// It was given back, since the server stops.
        Released = "released",
        /// Another worker has it.
        Lost = "lost",
        /// What became of it could not be stored.
        Failed = "failed",
    }

    /// What a limiter said.
    Decision {
        /// The request may go on.
        Allowed = "allowed",
        /// It may not.
        Refused = "refused",
        /// The limiter could not be asked.
        Failed = "failed",
    }

    /// What became of it.
    HashOutcome {
        /// A hash was computed.
        Computed = "computed",
        /// It would have waited too long.
        Refused = "refused",
        /// Nobody waited for it any more.
        Abandoned = "abandoned",
        /// A defect of ours.
        Failed = "failed",
    }

    /// How a caller was found.
    LookupResult {
        /// Redis knew them.
        Hit = "hit",
        /// Redis did not; the database was asked.
        Miss = "miss",
        /// Redis could not be asked; the database was.
        Bypassed = "bypassed",
    }
}
