//! Looking at pictures before they are kept.

use std::any::Any;

use async_trait::async_trait;

use crate::Cause;
use crate::object::ContentType;

/// A picture that is fit to be kept and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portrait {
    /// The picture, encoded anew: of what was sent, nothing is left but what is seen.
    pub content: Vec<u8>,
    /// What it is.
    pub content_type: ContentType,
    /// How its object's name ends: `png`.
    pub extension: &'static str,
}

/// Why something is not kept as a picture.
#[derive(Debug, thiserror::Error)]
pub enum PortraitError {
    /// It is no picture, or of a kind that is not taken.
    #[error("must be a JPEG, PNG or WebP image")]
    Unsupported,
    /// It begins like a picture, and cannot be read to its end.
    #[error("the image is damaged")]
    Damaged(#[source] Cause),
    /// It has more pixels than anybody can look at.
    #[error("the image is too large; {0} pixels a side are enough")]
    TooLarge(u32),
    /// Too many pictures wait to be looked at.
    #[error("too many images are waiting")]
    Overloaded,
    /// A defect of ours.
    #[error("the image could not be encoded")]
    Failed(#[source] Cause),
}

/// A place among those whose pictures are looked at, given back when it is dropped.
pub struct Place {
    _held: Box<dyn Any + Send>,
}

impl Place {
    /// A place that gives this back when it is over.
    pub fn new(held: impl Any + Send) -> Self {
        Self { _held: Box::new(held) }
    }
}

/// Makes portraits of what people send.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Portraits: Send + Sync {
    /// Takes a place before a picture is received: whoever comes in vain has sent
    /// nothing, and no more pictures are held than there are places.
    ///
    /// # Errors
    /// [`PortraitError::Overloaded`] when all are taken.
    fn admit(&self) -> Result<Place, PortraitError>;

    /// Decodes a picture, scales it down where it is large, and encodes it anew.
    async fn make(&self, place: Place, content: Vec<u8>) -> Result<Portrait, PortraitError>;
}
