//! From each use case's outcome to the label under which it is counted.
//!
//! Every match is exhaustive: a new outcome does not compile until it has its
//! place here.

use portcullis_app::{
    Failure, IdentityRefused, LoginRefused, LogoutRefused, RefreshRefused, Refreshed, Refreshment,
    Registered, RegistrationRefused, ResetRefused, SignUpRefused, VerificationRefused,
};
use portcullis_domain::ports::HasherError;
use portcullis_domain::{Contract, User, UserId};
use portcullis_metrics::{
    LoginOutcome, LoginWay, LogoutOutcome, RefreshOutcome, RegistrationOutcome, ResetOutcome,
    VerificationOutcome,
};

/// A failure, by whom to look for.
enum Trouble {
    Overloaded,
    Abandoned,
    Unavailable,
    Failed,
}

impl Trouble {
    fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Overloaded(cause) => match cause.downcast_ref::<HasherError>() {
                Some(HasherError::Cancelled) => Self::Abandoned,
                _ => Self::Overloaded,
            },
            Failure::Unavailable(_) => Self::Unavailable,
            Failure::Internal(_) => Self::Failed,
        }
    }
}

/// Of use cases that hash a password.
macro_rules! failure_of_hashing {
    ($outcome:ident, $failure:expr) => {
        match Trouble::of($failure) {
            Trouble::Overloaded => $outcome::Overloaded,
            Trouble::Abandoned => $outcome::Abandoned,
            Trouble::Unavailable => $outcome::Unavailable,
            Trouble::Failed => $outcome::Failed,
        }
    };
}

/// Of use cases that hash none.
macro_rules! failure {
    ($outcome:ident, $failure:expr) => {
        match Trouble::of($failure) {
            Trouble::Overloaded | Trouble::Abandoned | Trouble::Unavailable => {
                $outcome::Unavailable
            }
            Trouble::Failed => $outcome::Failed,
        }
    };
}

pub(crate) fn way_of(contract: Contract) -> LoginWay {
    match contract {
        Contract::Json => LoginWay::Json,
        Contract::Form => LoginWay::Form,
    }
}

pub(crate) fn of_login<T>(finished: &Result<T, LoginRefused>) -> LoginOutcome {
    match finished {
        Ok(_) => LoginOutcome::Success,
        Err(LoginRefused::InvalidCredentials { is_inactive: true, .. }) => LoginOutcome::Inactive,
        Err(LoginRefused::InvalidCredentials { .. }) => LoginOutcome::BadCredentials,
        Err(LoginRefused::EmailNotVerified) => LoginOutcome::Unverified,
        Err(LoginRefused::Locked { .. }) => LoginOutcome::Locked,
        Err(LoginRefused::Failure(failure)) => failure_of_hashing!(LoginOutcome, failure),
    }
}

/// Whether a login locked its identifier.
pub(crate) fn is_lockout<T>(finished: &Result<T, LoginRefused>) -> bool {
    matches!(finished, Err(LoginRefused::InvalidCredentials { locks: true, .. }))
}

pub(crate) fn of_identity<T>(finished: &Result<T, IdentityRefused>) -> LoginOutcome {
    match finished {
        Ok(_) => LoginOutcome::Success,
        Err(IdentityRefused::InvalidToken | IdentityRefused::Revoked) => {
            LoginOutcome::BadCredentials
        }
        Err(IdentityRefused::EmailNotVerified | IdentityRefused::AccountNotVerified) => {
            LoginOutcome::Unverified
        }
        Err(IdentityRefused::Inactive) => LoginOutcome::Inactive,
        Err(IdentityRefused::NotOffered(_)) => LoginOutcome::Unavailable,
        Err(IdentityRefused::Failure(failure)) => failure_of_hashing!(LoginOutcome, failure),
    }
}

pub(crate) fn of_refresh(finished: &Result<Refreshed, RefreshRefused>) -> RefreshOutcome {
    match finished {
        Ok(refreshed) => match refreshed.refreshment {
            Refreshment::Rotated => RefreshOutcome::Rotated,
            Refreshment::Kept => RefreshOutcome::Kept,
            Refreshment::Replayed => RefreshOutcome::Replayed,
        },
        Err(RefreshRefused::InvalidToken) => RefreshOutcome::Refused,
        Err(RefreshRefused::Reused(_)) => RefreshOutcome::Reused,
        Err(RefreshRefused::Failure(failure)) => failure!(RefreshOutcome, failure),
    }
}

pub(crate) fn of_registration(
    finished: &Result<Registered, RegistrationRefused>,
) -> RegistrationOutcome {
    match finished {
        Ok(registered) if registered.is_new => RegistrationOutcome::Success,
        Ok(_) | Err(RegistrationRefused::EmailTaken) => RegistrationOutcome::Taken,
        Err(RegistrationRefused::WeakPassword(_)) => RegistrationOutcome::WeakPassword,
        Err(RegistrationRefused::Failure(failure)) => {
            failure_of_hashing!(RegistrationOutcome, failure)
        }
    }
}

pub(crate) fn of_sign_up<T>(finished: &Result<T, SignUpRefused>) -> RegistrationOutcome {
    match finished {
        Ok(_) => RegistrationOutcome::Success,
        Err(SignUpRefused::Taken) => RegistrationOutcome::Taken,
        Err(SignUpRefused::WeakPassword(_)) => RegistrationOutcome::WeakPassword,
        Err(SignUpRefused::Failure(failure)) => failure_of_hashing!(RegistrationOutcome, failure),
    }
}

pub(crate) fn of_verification(finished: &Result<User, VerificationRefused>) -> VerificationOutcome {
    match finished {
        Ok(_) => VerificationOutcome::Verified,
        Err(VerificationRefused::InvalidToken) => VerificationOutcome::Refused,
        Err(VerificationRefused::Failure(failure)) => failure!(VerificationOutcome, failure),
    }
}

pub(crate) fn of_resend(finished: &Result<(), Failure>) -> VerificationOutcome {
    match finished {
        Ok(()) => VerificationOutcome::Requested,
        Err(failure) => failure!(VerificationOutcome, failure),
    }
}

pub(crate) fn of_reset_request(finished: &Result<(), Failure>) -> ResetOutcome {
    match finished {
        Ok(()) => ResetOutcome::Requested,
        Err(failure) => failure_of_hashing!(ResetOutcome, failure),
    }
}

pub(crate) fn of_reset(finished: &Result<UserId, ResetRefused>) -> ResetOutcome {
    match finished {
        Ok(_) => ResetOutcome::Confirmed,
        Err(ResetRefused::InvalidToken) => ResetOutcome::Refused,
        Err(ResetRefused::WeakPassword(_)) => ResetOutcome::WeakPassword,
        Err(ResetRefused::Failure(failure)) => failure_of_hashing!(ResetOutcome, failure),
    }
}

pub(crate) fn of_logout<T>(finished: &Result<T, LogoutRefused>) -> LogoutOutcome {
    match finished {
        Ok(_) => LogoutOutcome::Success,
        Err(LogoutRefused::InvalidRefreshToken) => LogoutOutcome::Refused,
        Err(LogoutRefused::AlreadyEnded) => LogoutOutcome::AlreadyEnded,
        Err(LogoutRefused::Failure(failure)) => failure!(LogoutOutcome, failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hung_up_is_not_counted_as_too_much_to_do() {
        let login = |error: HasherError| of_login::<()>(&Err(Failure::from(error).into()));
        assert_eq!(login(HasherError::Cancelled), LoginOutcome::Abandoned);
        assert_eq!(login(HasherError::Overloaded), LoginOutcome::Overloaded);
        assert_eq!(login(HasherError::Failed("a defect".into())), LoginOutcome::Failed);
    }
}
