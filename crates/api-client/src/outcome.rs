//! What an attempt at a call brings.

use std::time::Duration;

use reqwest::Response;

use crate::answer::Answer;
use crate::error::CallError;

/// What a caller wants to have of a response.
pub(crate) trait Outcome: Sized {
    /// Reads as much of a response as is wanted, and no more bytes than this.
    fn of(
        response: Response,
        at_most: usize,
    ) -> impl Future<Output = Result<Self, Interrupted>> + Send;

    /// The answer, if it has come whole: it may ask for another attempt.
    fn answer(&self) -> Option<&Answer>;
}

/// Why a response came to no end.
pub(crate) enum Interrupted {
    Http(reqwest::Error),
    /// It has more bytes than this.
    TooLong(usize),
}

impl Interrupted {
    pub(crate) fn into_error(self, deadline: Duration) -> CallError {
        match self {
            Self::Http(error) => CallError::of(error, deadline),
            Self::TooLong(at_most) => CallError::TooLong(at_most),
        }
    }
}

/// Everything, whatever the status.
impl Outcome for Answer {
    async fn of(mut response: Response, at_most: usize) -> Result<Self, Interrupted> {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(Interrupted::Http)? {
            if body.len() + piece.len() > at_most {
                return Err(Interrupted::TooLong(at_most));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Self { status, headers, body })
    }

    fn answer(&self) -> Option<&Answer> {
        Some(self)
    }
}

/// A success whose body still comes, or everything else.
impl Outcome for Result<Response, Answer> {
    async fn of(response: Response, at_most: usize) -> Result<Self, Interrupted> {
        if response.status().is_success() {
            return Ok(Ok(response));
        }
        Answer::of(response, at_most).await.map(Err)
    }

    fn answer(&self) -> Option<&Answer> {
        self.as_ref().err()
    }
}
