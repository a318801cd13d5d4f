//! How far a service speaks like Amazon's: two things that others refuse, each
//! known on its own.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something that a service may refuse to understand. It is believed to be
/// understood until a request was refused that holds it and the same request
/// without it was not: one refusal alone may have any reason.
pub(super) struct Feature(AtomicBool);

impl Feature {
    /// Whether to use it. Asked once for each operation, since another operation
    /// may find out meanwhile.
    pub(super) fn is_understood(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// It was refused, and what was asked without it was not.
    pub(super) fn is_not_understood(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Default for Feature {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl fmt::Debug for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.is_understood(), f)
    }
}

/// What one service understands, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Dialect {
    /// To be asked for an object's checksums.
    pub(super) checksums: Feature,
    /// To delete many objects by one request.
    pub(super) deletions: Feature,
}
