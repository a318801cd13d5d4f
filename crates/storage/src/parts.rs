//! Streams, cut into the parts that services take.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use portcullis_domain::ports::{ContentStream, ObjectError};

/// How long a part is, in bytes; the last may be shorter. S3 takes 5 MiB or more,
/// and 10,000 of them: an object of up to 78 GiB. Google takes whole multiples of
/// 256 KiB.
pub(crate) const PART: usize = 8 * 1024 * 1024;

/// A stream, cut into parts. Pieces are put together where a part takes several;
/// one that lies within a piece is not copied.
pub(crate) struct Parts {
    content: ContentStream,
    /// What is left of the last piece.
    rest: Bytes,
    has_ended: bool,
}

impl Parts {
    pub(crate) fn of(content: ContentStream) -> Self {
        Self { content, rest: Bytes::new(), has_ended: false }
    }

    /// The next part, if there is any; one that is shorter than others is the
    /// last.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        let mut part = BytesMut::new();
        loop {
            if self.rest.is_empty() && !self.next_piece().await? {
                return Ok((!part.is_empty()).then(|| part.freeze()));
            }
            let missing = PART - part.len();
            if part.is_empty() && self.rest.len() >= missing {
                return Ok(Some(self.rest.split_to(missing)));
            }
            let more = self.rest.split_to(missing.min(self.rest.len()));
            if part.is_empty() && !self.next_piece().await? {
                // A short content in one piece.
                return Ok(Some(more));
            }
            part.extend_from_slice(&more);
            if part.len() == PART {
                return Ok(Some(part.freeze()));
            }
        }
    }

    /// Takes what comes next of the stream, unless something is left; `false` at
    /// its end.
    async fn next_piece(&mut self) -> Result<bool, ObjectError> {
        while self.rest.is_empty() && !self.has_ended {
            match self.content.next().await {
                Some(piece) => self.rest = piece.map_err(ObjectError::Content)?.into(),
                None => self.has_ended = true,
            }
        }
        Ok(!self.rest.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use portcullis_conformance::bucket::{bytes, in_pieces, pieces};

    use super::*;

    #[tokio::test]
    async fn parts_are_of_one_length_but_for_the_last() {
        for (length, piece) in [(0, 1), (1, 1), (PART, 1_000_003), (2 * PART + 5, 3 * PART)] {
            let content = bytes(length, 1);
            let mut parts = Parts::of(in_pieces(&content, piece));
            let mut found = Vec::new();
            while let Some(part) = parts.next().await.unwrap() {
                found.push(part);
            }
            let rest = length % PART;
            let lengths: Vec<_> = found.iter().map(Bytes::len).collect();
            let mut expected = vec![PART; length / PART];
            expected.extend((rest > 0).then_some(rest));
            assert_eq!(lengths, expected);
            assert!(found.concat() == content, "{length}");
        }
    }
    #[tokio::test]
    async fn what_comes_in_one_piece_is_not_copied() {
        for length in [1_000, PART, 5 * PART + 7] {
            let content = bytes(length, 1);
            let begin = content.as_ptr().addr();
            let mut parts = Parts::of(pieces(vec![Ok(content)]));
            for number in 0..length.div_ceil(PART) {
                let part = parts.next().await.unwrap().unwrap();
                assert_eq!(part.as_ptr().addr(), begin + number * PART, "part {number}");
            }
            assert!(parts.next().await.unwrap().is_none());
        }
    }
}
