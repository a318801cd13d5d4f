//! Uploads: short ones by one request, others piece by piece.

use bytes::{Buf, Bytes};
use portcullis_api_client::{
    Answer, ApiClient, Call, HeaderName, HeaderValue, Method, Repeat, StatusCode,
};
use portcullis_domain::ObjectName;
use portcullis_domain::object::{ObjectAttributes, ObjectMeta};
use portcullis_domain::ports::ObjectError;
use portcullis_google::{Failure, Refusal};

use super::bucket::GcsBucket;
use super::failure::{is_of_bucket, object_error, unpublished, unreadable};
use super::resource::{NewResource, Resource};
use crate::checksums::{hex, md5_of};
use crate::parts::Parts;

const CONTENT_RANGE: HeaderName = HeaderName::from_static("content-range");
const UPLOAD_TYPE: HeaderName = HeaderName::from_static("x-upload-content-type");
/// The status of a piece that is not the last ("Resume Incomplete").
const GO_ON: u16 = 308;
/// How often the rest of a piece is sent of which a part was kept.
const ATTEMPTS: u32 = 5;

impl GcsBucket {
    fn upload<'a>(&'a self, client: &'a ApiClient, method: Method) -> Call<'a> {
        client.call(method, &["upload", "storage", "v1", "b", &self.name, "o"])
    }

    /// Stores what fits into one request. `name` may be that of a mark.
    pub(super) async fn put_whole(
        &self,
        name: &str,
        content: &[u8],
        attributes: &ObjectAttributes,
    ) -> Result<Resource, ObjectError> {
        let resource = NewResource::new(name, attributes).with_md5(md5_of(content));
        let resource =
            serde_json::to_string(&resource).map_err(|error| ObjectError::Refused(error.into()))?;
        let (kind, body) = related(&resource, &attributes.content_type.to_string(), content)?;
        let answer = self
            .gcs
            .api
            .send(Repeat::Safe, |client| {
                self.upload(client, Method::POST)
                    .query(&[("uploadType", "multipart"), ("name", name)])
                    .body(kind.clone(), body.clone())
            })
            .await
            .map_err(|failure| object_error(failure, None))?;
        answer.json().map_err(unreadable)
    }

    /// Stores a stream that is longer than its first part.
    pub(super) async fn put_in_parts(
        &self,
        name: &ObjectName,
        first: Bytes,
        mut parts: Parts,
        attributes: &ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        let session = self.begin(name, attributes).await?;
        let kind = kind_of(attributes);
        let sent = self.send_parts(name, &session, &kind, first, &mut parts).await;
        if sent.is_err() {
            // It makes no object, and Google forgets it within a week.
            let _ = self
                .gcs
                .api
                .exchange(Repeat::Never, |client| self.session(client, &session, Method::DELETE))
                .await;
        }
        sent?.into_meta().ok_or_else(|| unpublished(http::StatusCode::OK))
    }

    /// Begins an upload; gives the id of its session. The address that Google
    /// gives along is not followed: a token goes to the one address that was set.
    async fn begin(
        &self,
        name: &ObjectName,
        attributes: &ObjectAttributes,
    ) -> Result<Vec<(String, String)>, ObjectError> {
        let resource = NewResource::new(name.as_str(), attributes);
        let answer = self
            .gcs
            .api
            .send(Repeat::Safe, |client| {
                self.upload(client, Method::POST)
                    .query(&[("uploadType", "resumable"), ("name", name.as_str())])
                    .header(UPLOAD_TYPE, kind_of(attributes))
                    .json(&resource)
            })
            .await
            .map_err(|failure| object_error(failure, None))?;
        let location = answer.headers.get("location").and_then(|location| location.to_str().ok());
        let location = location.and_then(|location| url::Url::parse(location).ok());
        let location = location.ok_or_else(|| unpublished(answer.status))?;
        Ok(location.query_pairs().into_owned().collect())
    }

    fn session<'a>(
        &'a self,
        client: &'a ApiClient,
        session: &[(String, String)],
        method: Method,
    ) -> Call<'a> {
        let query: Vec<_> =
            session.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.upload(client, method).query(&query)
    }

    async fn send_parts(
        &self,
        name: &ObjectName,
        session: &[(String, String)],
        kind: &HeaderValue,
        first: Bytes,
        parts: &mut Parts,
    ) -> Result<Resource, ObjectError> {
        let (mut part, mut offset) = (first, 0_u64);
        loop {
            let next = parts.next().await?;
            let length = part.len() as u64;
            let total = next.is_none().then_some(offset + length);
            let answer = self.send_part(name, session, kind, (part, offset, total)).await?;
            match (next, answer) {
                (Some(next), None) => part = next,
                (None, Some(answer)) => return answer.json().map_err(unreadable),
                (_, answer) => {
                    let status = answer.map_or(GO_ON, |answer| answer.status.as_u16());
                    let status = http::StatusCode::from_u16(status).unwrap_or_default();
                    return Err(unpublished(status));
                }
            }
            offset += length;
        }
    }

    /// Sends a piece until all of it is kept. The answer to the last is the
    /// object.
    async fn send_part(
        &self,
        name: &ObjectName,
        session: &[(String, String)],
        kind: &HeaderValue,
        (mut part, mut offset, total): (Bytes, u64, Option<u64>),
    ) -> Result<Option<Answer>, ObjectError> {
        for _ in 0..ATTEMPTS {
            let range = content_range(offset, part.len() as u64, total);
            let answer = self
                .gcs
                .api
                .exchange(Repeat::Safe, |client| {
                    self.session(client, session, Method::PUT)
                        .body(kind.clone(), part.clone())
                        .header(CONTENT_RANGE, range.clone())
                })
                .await
                .map_err(|failure| object_error(failure, Some(name)))?;
            if answer.status.is_success() {
                return Ok(Some(answer));
            }
            if answer.status.as_u16() != GO_ON {
                return Err(session_error(&answer));
            }
            // Without a range, nothing at all was kept.
            let kept = kept(&answer).unwrap_or(0).saturating_sub(offset);
            let kept = usize::try_from(kept).unwrap_or(usize::MAX).min(part.len());
            part.advance(kept);
            offset += kept as u64;
            if part.is_empty() && total.is_none() {
                return Ok(None);
            }
        }
        let told = "it kept only a part of what it was sent";
        Err(ObjectError::Unavailable(told.into()))
    }
}

/// What a refusal of a piece means. Google has let go of a session that is not
/// found or gone; another upload has another:
/// <https://cloud.google.com/storage/docs/performing-resumable-uploads#handling_errors>.
fn session_error(answer: &Answer) -> ObjectError {
    let refusal = Failure::Refusal(Box::new(Refusal::of(answer)));
    let is_lost = [StatusCode::NOT_FOUND, StatusCode::GONE].contains(&answer.status);
    if is_lost && !is_of_bucket(&refusal) {
        return ObjectError::Unavailable(refusal.into());
    }
    object_error(refusal, None)
}

/// Visible ASCII, as headers are.
fn kind_of(attributes: &ObjectAttributes) -> HeaderValue {
    let unknown = HeaderValue::from_static("application/octet-stream");
    HeaderValue::try_from(attributes.content_type.as_str()).unwrap_or(unknown)
}

fn content_range(offset: u64, length: u64, total: Option<u64>) -> HeaderValue {
    let total = total.map_or("*".to_owned(), |total| total.to_string());
    let range = match length {
        0 => format!("bytes */{total}"),
        _ => format!("bytes {offset}-{}/{total}", offset + length - 1),
    };
    // Digits and marks.
    HeaderValue::try_from(range).unwrap_or(HeaderValue::from_static("bytes */*"))
}

/// How many bytes are kept from the beginning on: `Range: bytes=0-42`.
fn kept(answer: &Answer) -> Option<u64> {
    let range = answer.headers.get("range")?.to_str().ok()?;
    let last: u64 = range.strip_prefix("bytes=")?.split_once('-')?.1.parse().ok()?;
    Some(last + 1)
}

/// What the object is and what it holds as two parts of one body (RFC 2387). The
/// boundary is drawn: nobody can have written it into the content.
fn related(
    resource: &str,
    kind: &str,
    content: &[u8],
) -> Result<(HeaderValue, Bytes), ObjectError> {
    let mut drawn = [0; 24];
    aws_lc_rs::rand::fill(&mut drawn)
        .map_err(|_| ObjectError::Unavailable("the machine gives no random numbers".into()))?;
    let boundary = format!("portcullis-{}", hex(&drawn));
    let head = format!(
        "--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{resource}\r\n\
         --{boundary}\r\nContent-Type: {kind}\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    let body = [head.as_bytes(), content, end.as_bytes()].concat();
    let kind = HeaderValue::try_from(format!("multipart/related; boundary={boundary}"));
    // Letters and digits.
    Ok((kind.unwrap_or(HeaderValue::from_static("multipart/related")), body.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_told_as_published() {
        assert_eq!(content_range(0, 262_144, None), "bytes 0-262143/*");
        assert_eq!(content_range(262_144, 10, Some(262_154)), "bytes 262144-262153/262154");
        assert_eq!(content_range(10, 0, Some(10)), "bytes */10");
    }
}
