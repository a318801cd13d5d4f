//! What is nobody's fault who asked.

use portcullis_domain::ports::{HasherError, SigningError};
use portcullis_domain::{Cause, StoreError};

/// A use case could not be carried out, whatever was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A dependency is away; trying again later may succeed.
    #[error("a dependency is unavailable")]
    Unavailable(#[source] Cause),
    /// There is more to do than can be done; trying again later may succeed.
    #[error("the server is overloaded")]
    Overloaded(#[source] Cause),
    /// A defect, of ours or of stored data.
    #[error("an internal error")]
    Internal(#[source] Cause),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(error.into()),
            StoreError::Conflict(_) | StoreError::Corrupt(_) | StoreError::Other(_) => {
                Self::Internal(error.into())
            }
        }
    }
}

impl From<HasherError> for Failure {
    fn from(error: HasherError) -> Self {
        match error {
            HasherError::Overloaded | HasherError::Cancelled => Self::Overloaded(error.into()),
            HasherError::Failed(_) => Self::Internal(error.into()),
        }
    }
}

impl From<SigningError> for Failure {
    fn from(error: SigningError) -> Self {
        Self::Internal(error.into())
    }
}

/// Lets `?` turn every port's error into a refusal's `Failure` variant.
macro_rules! failures_become {
    ($refusal:ty) => {
        impl From<$crate::Failure> for $refusal {
            fn from(failure: $crate::Failure) -> Self {
                Self::Failure(failure)
            }
        }
        impl From<portcullis_domain::StoreError> for $refusal {
            fn from(error: portcullis_domain::StoreError) -> Self {
                Self::Failure(error.into())
            }
        }
        impl From<portcullis_domain::ports::HasherError> for $refusal {
            fn from(error: portcullis_domain::ports::HasherError) -> Self {
                Self::Failure(error.into())
            }
        }
    };
}
pub(crate) use failures_become;
