//! Files of the binary, sent slice by slice.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

/// How much of a file is copied for a connection at a time.
const SLICE: usize = 16 * 1024;

/// A body that lends its bytes slice by slice. Sent whole, a file would be copied
/// whole for each connection, and whoever reads slowly would hold the copy.
pub(super) struct File(Bytes);

impl File {
    pub(super) fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }
}

impl MessageBody for File {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let length = self.0.len().min(SLICE);
        let slice = self.0.split_to(length);
        Poll::Ready((!slice.is_empty()).then_some(Ok(slice)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;

    #[actix_web::test]
    async fn a_file_arrives_whole_in_slices() {
        let bytes: Vec<u8> = (0..=250).cycle().take(3 * SLICE + 7).collect();
        let mut file = File::new(bytes.clone());
        let mut lengths = Vec::new();
        let mut context = Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(Some(Ok(slice))) = Pin::new(&mut file).poll_next(&mut context) {
            lengths.push(slice.len());
        }
        assert_eq!(lengths, [SLICE, SLICE, SLICE, 7]);
        assert_eq!(to_bytes(File::new(bytes.clone())).await.unwrap(), bytes);
    }
}
