//! Content on its way here: none is waited for without an end.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use portcullis_domain::ports::{ContentStream, ObjectError};
use portcullis_domain::{Cause, ObjectName};
use tokio::time::{Instant, timeout};

use crate::parts::PART;

/// A store that gives a byte now and then keeps every time-out of a single read.
#[derive(Debug, thiserror::Error)]
#[error("it did not give {PART} bytes within {0:?}")]
struct TooSlow(Duration);

/// An object's content as it comes: of each 8 MiB, as long as an upload's parts
/// are, the store may keep its reader waiting for so long. How long the reader
/// takes does not count.
pub(crate) struct Download {
    pieces: BoxStream<'static, Result<Bytes, ObjectError>>,
    deadline: Duration,
    /// Of the part that is coming.
    patience: Duration,
    received: usize,
}

impl Download {
    pub(crate) fn new(
        pieces: impl Stream<Item = Result<Bytes, ObjectError>> + Send + 'static,
        deadline: Duration,
    ) -> Self {
        Self { pieces: pieces.boxed(), deadline, patience: deadline, received: 0 }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        let begun = Instant::now();
        let Ok(piece) = timeout(self.patience, self.pieces.next()).await else {
            return Err(ObjectError::Unavailable(TooSlow(self.deadline).into()));
        };
        let Some(piece) = piece.transpose()? else { return Ok(None) };
        self.patience = self.patience.saturating_sub(begun.elapsed());
        self.received += piece.len();
        if self.received >= PART {
            (self.received, self.patience) = (0, self.deadline);
        }
        Ok(Some(piece))
    }

    /// All of it, if it is at most `limit` bytes long.
    pub(crate) async fn whole(
        mut self,
        name: &ObjectName,
        limit: u64,
    ) -> Result<Vec<u8>, ObjectError> {
        let mut content = Vec::new();
        while let Some(piece) = self.next().await? {
            content.extend_from_slice(&piece);
            if content.len() as u64 > limit {
                return Err(ObjectError::TooLarge { name: name.clone(), limit });
            }
        }
        Ok(content)
    }

    /// Piece by piece.
    pub(crate) fn stream(self) -> ContentStream {
        let pieces = stream::try_unfold(self, |mut download| async {
            let piece = download.next().await?;
            Ok(piece.map(|piece| (Vec::from(piece), download)))
        });
        Box::pin(pieces.map_err(|error: ObjectError| Cause::from(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// So many pieces of that length, each after so long.
    fn pieces(
        count: usize,
        length: usize,
        after: Duration,
    ) -> impl Stream<Item = Result<Bytes, ObjectError>> + Send + 'static {
        stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(after).await;
            Ok(Bytes::from(vec![7; length]))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn drops_do_not_go_on_for_ever() {
        let name = ObjectName::parse("a").unwrap();
        let drops = Download::new(pieces(1_000, 1, SECOND), 10 * SECOND);
        let begun = Instant::now();
        let slow = drops.whole(&name, 1_000).await.unwrap_err();
        assert!(matches!(slow, ObjectError::Unavailable(_)), "{slow:?}");
        assert_eq!(begun.elapsed(), 10 * SECOND);
        let mut drops = Download::new(pieces(1_000, 1, SECOND), 10 * SECOND).stream();
        let mut received = 0;
        let error = loop {
            match drops.next().await.unwrap() {
                Ok(piece) => received += piece.len(),
                Err(error) => break error,
            }
        };
        assert!(error.is::<ObjectError>() && (9..=10).contains(&received), "{received}");
        assert!(drops.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_object_may_take_its_time() {
        let name = ObjectName::parse("a").unwrap();
        let long = Download::new(pieces(40, PART / 4, 2 * SECOND), 10 * SECOND);
        let content = long.whole(&name, u64::MAX).await.unwrap();
        assert_eq!(content.len(), 10 * PART);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_not_taken_for_a_slow_store() {
        let mut stream = Download::new(pieces(5, 1, SECOND / 10), SECOND).stream();
        while let Some(piece) = stream.next().await {
            assert_eq!(piece.unwrap(), [7]);
            tokio::time::sleep(10 * SECOND).await;
        }
    }

    #[tokio::test]
    async fn not_one_byte_too_many_is_taken() {
        let name = ObjectName::parse("a").unwrap();
        for (limit, fits) in [(6, true), (5, false), (0, false)] {
            let download = Download::new(pieces(3, 2, Duration::ZERO), SECOND);
            let taken = download.whole(&name, limit).await;
            assert_eq!(taken.is_ok(), fits, "{limit}: {taken:?}");
        }
    }
}
