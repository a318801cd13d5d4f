//! Uploads in parts.

use bytes::Bytes;
use object_store::{MultipartUpload, PutPayload, PutResult};
use portcullis_domain::ObjectName;
use portcullis_domain::ports::ObjectError;

use super::failure::object_error;
use crate::parts::Parts;

/// An upload whose parts are removed if it comes to no end.
pub(super) struct Unfinished(Option<Box<dyn MultipartUpload>>);

impl Unfinished {
    pub(super) fn new(upload: Box<dyn MultipartUpload>) -> Self {
        Self(Some(upload))
    }

    /// Sends all parts and makes an object of them. Says how long it is, too.
    pub(super) async fn finish(
        mut self,
        name: &ObjectName,
        first: Bytes,
        mut parts: Parts,
    ) -> Result<(u64, PutResult), ObjectError> {
        let sent = self.send(name, first, &mut parts).await;
        if let Some(mut upload) = self.0.take()
            && sent.is_err()
        {
            // Its parts are in nobody's way; the service removes them some day.
            let _ = upload.abort().await;
        }
        sent
    }

    async fn send(
        &mut self,
        name: &ObjectName,
        first: Bytes,
        parts: &mut Parts,
    ) -> Result<(u64, PutResult), ObjectError> {
        let failed = |error| match object_error(&error, Some(name)) {
            // Not of an object: the service does not know the upload any more.
            ObjectError::NotFound { cause, .. } => ObjectError::Unavailable(cause),
            error => error,
        };
        let Some(upload) = &mut self.0 else { unreachable!("it is taken when it has ended") };
        let (mut part, mut length) = (Some(first), 0);
        while let Some(content) = part {
            length += content.len() as u64;
            upload.put_part(PutPayload::from(content)).await.map_err(failed)?;
            part = parts.next().await?;
        }
        Ok((length, upload.complete().await.map_err(failed)?))
    }
}

/// It was given up.
impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(mut upload) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { upload.abort().await });
        }
    }
}
