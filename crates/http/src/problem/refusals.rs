//! From each use case's refusals to the problem that the contract names.
//!
//! Every match is exhaustive: a new refusal does not compile until it has its
//! place here.

use std::sync::Arc;

use portcullis_app::{
    AccessDenied, AvatarRefused, DeviceRefused, Failure, IdentityRefused, LoginRefused,
    LogoutRefused, NotOffered, PurchaseRefused, RefreshRefused, RegistrationRefused, ResetRefused,
    SignUpRefused, VerificationRefused,
};
use portcullis_domain::Contract;
use portcullis_domain::ports::PortraitError;

use super::Problem;

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let problem = match &failure {
            Failure::Unavailable(_) | Failure::Overloaded(_) => Self::unavailable(),
            Failure::Internal(_) => Self::internal(),
        };
        Self { cause: Some(Arc::new(failure)), ..problem }
    }
}

impl From<RegistrationRefused> for Problem {
    fn from(refused: RegistrationRefused) -> Self {
        match refused {
            RegistrationRefused::EmailTaken => Self::email_taken(),
            RegistrationRefused::WeakPassword(weak) => Self::weak_password(weak),
            RegistrationRefused::Failure(failure) => failure.into(),
        }
    }
}

impl From<SignUpRefused> for Problem {
    fn from(refused: SignUpRefused) -> Self {
        match refused {
            SignUpRefused::Taken => Self::registration_failed(),
            SignUpRefused::WeakPassword(weak) => Self::weak_password(weak),
            SignUpRefused::Failure(failure) => failure.into(),
        }
    }
}

impl From<VerificationRefused> for Problem {
    fn from(refused: VerificationRefused) -> Self {
        match refused {
            VerificationRefused::InvalidToken => Self::invalid_verification_token(),
            VerificationRefused::Failure(failure) => failure.into(),
        }
    }
}

impl From<ResetRefused> for Problem {
    fn from(refused: ResetRefused) -> Self {
        match refused {
            ResetRefused::InvalidToken => Self::invalid_reset_token(),
            ResetRefused::WeakPassword(weak) => Self::weak_password(weak),
            ResetRefused::Failure(failure) => failure.into(),
        }
    }
}

impl From<RefreshRefused> for Problem {
    fn from(refused: RefreshRefused) -> Self {
        match refused {
            RefreshRefused::InvalidToken | RefreshRefused::Reused(_) => Self::refresh_refused(),
            RefreshRefused::Failure(failure) => failure.into(),
        }
    }
}

impl From<LogoutRefused> for Problem {
    fn from(refused: LogoutRefused) -> Self {
        match refused {
            LogoutRefused::InvalidRefreshToken => Self::invalid_refresh_token(),
            LogoutRefused::AlreadyEnded => Self::revoked(),
            LogoutRefused::Failure(failure) => failure.into(),
        }
    }
}

impl From<NotOffered> for Problem {
    fn from(NotOffered: NotOffered) -> Self {
        Self::not_found()
    }
}

impl From<IdentityRefused> for Problem {
    fn from(refused: IdentityRefused) -> Self {
        match refused {
            IdentityRefused::NotOffered(absent) => absent.into(),
            IdentityRefused::InvalidToken => Self::invalid_token(),
            IdentityRefused::Revoked => Self::identity_revoked(),
            IdentityRefused::Inactive => Self::user_gone_or_inactive(),
            IdentityRefused::EmailNotVerified => Self::email_not_verified(),
            IdentityRefused::AccountNotVerified => Self::account_not_verified(),
            IdentityRefused::Failure(failure) => failure.into(),
        }
    }
}

impl From<AvatarRefused> for Problem {
    fn from(refused: AvatarRefused) -> Self {
        match refused {
            AvatarRefused::NotOffered(absent) => absent.into(),
            AvatarRefused::Absent => Self::no_picture(),
            AvatarRefused::NotAPortrait(PortraitError::Unsupported) => Self::not_a_picture(),
            AvatarRefused::NotAPortrait(error) => Self::damaged_picture(error.to_string()),
            AvatarRefused::Failure(failure) => failure.into(),
        }
    }
}

impl From<DeviceRefused> for Problem {
    fn from(refused: DeviceRefused) -> Self {
        match refused {
            DeviceRefused::NotOffered(absent) => absent.into(),
            DeviceRefused::Absent => Self::no_device(),
            DeviceRefused::Failure(failure) => failure.into(),
        }
    }
}

impl From<PurchaseRefused> for Problem {
    fn from(refused: PurchaseRefused) -> Self {
        match refused {
            PurchaseRefused::NotOffered(absent) => absent.into(),
            PurchaseRefused::Unknown(_) => Self::no_transaction(),
            PurchaseRefused::OtherProduct(mismatch) => Self::other_product(&mismatch),
            PurchaseRefused::Anothers => Self::purchase_taken(),
            PurchaseRefused::Forged(_) => Self::not_apples(),
            PurchaseRefused::Failure(failure) => failure.into(),
        }
    }
}

impl Problem {
    /// A refused login, as each contract says it.
    pub(crate) fn of_login(refused: LoginRefused, contract: Contract) -> Self {
        match refused {
            LoginRefused::InvalidCredentials { .. } => Self::invalid_credentials(contract),
            LoginRefused::EmailNotVerified => Self::email_not_verified(),
            LoginRefused::Locked { retry_after } => Self::account_locked(retry_after),
            LoginRefused::Failure(failure) => failure.into(),
        }
    }

    /// A bearer who is nobody, as each contract says it.
    pub(crate) fn of_access(denied: AccessDenied, contract: Contract) -> Self {
        match (denied, contract) {
            (AccessDenied::InvalidToken, _) | (AccessDenied::Revoked, Contract::Json) => {
                Self::invalid_token()
            }
            (AccessDenied::Revoked | AccessDenied::UserInactive, Contract::Form) => Self::revoked(),
            (AccessDenied::UserNotFound | AccessDenied::UserInactive, Contract::Json) => {
                Self::user_gone_or_inactive()
            }
            (AccessDenied::UserNotFound, Contract::Form) => Self::user_not_found(),
            (AccessDenied::Failure(failure), _) => failure.into(),
        }
    }
}
