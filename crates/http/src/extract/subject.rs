//! Whom a request turned out to be about.

use actix_web::{HttpMessage, HttpRequest};
use portcullis_app::Tokens;
use portcullis_domain::ports::Caller;
use portcullis_domain::{SessionId, UserId};

/// The user and the session of a request, for its line in the log. Known once
/// somebody has authenticated, or a session is opened or refreshed.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The user.
    pub user: UserId,
    /// Their session.
    pub session: SessionId,
}

impl Subject {
    /// Remembers it with the request.
    pub(crate) fn note(self, request: &HttpRequest) {
        request.extensions_mut().insert(self);
    }

    /// What was remembered.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get().copied()
    }
}

impl From<&Caller> for Subject {
    fn from(caller: &Caller) -> Self {
        Self { user: caller.user.id, session: caller.session.id }
    }
}

impl From<&Tokens> for Subject {
    fn from(tokens: &Tokens) -> Self {
        Self { user: tokens.user, session: tokens.session }
    }
}
