//! Bodies: bounded in size and time, JSON or form, read into [`Fields`].

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, web};
use futures_core::Stream;
use percent_encoding::percent_decode_str;
use secrecy::zeroize::Zeroizing;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::fields::Fields;
use crate::problem::Problem;

/// What contract §2 allows to every route: 64 KiB, within less than 30 s.
const BODY: Bounds = Bounds { bytes: MAX_BODY, patience: Duration::from_secs(15) };
/// Largest body of a route that reads fields, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;
/// How long a client may take to send a file: a few MiB over a bad line.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(20);

const JSON: &str = "application/json";
const URL_ENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";
/// Stands for more than one media type; no route reads it.
const AMBIGUOUS: &str = "*/*";
const FORMS: &str = "application/x-www-form-urlencoded or multipart/form-data";

/// A body as it came, as an argument of a handler.
pub(crate) struct Body {
    /// The media type in lower case and without parameters; empty if absent.
    media_type: String,
    content_type: String,
    /// Wiped when dropped: it may hold a password or a token.
    bytes: Zeroizing<Vec<u8>>,
}

impl FromRequest for Body {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default();
        let is_ambiguous = request.headers().get_all(header::CONTENT_TYPE).count() > 1;
        let received = receive(request, payload.take(), BODY);
        Box::pin(async move {
            // Two readers of two media types might see two different requests.
            let content_type = if is_ambiguous { AMBIGUOUS.to_owned() } else { content_type };
            Ok(Self::new(content_type, received.await?))
        })
    }
}

/// Reads a body that is no text, up to `limit` bytes, whatever its media type
/// says.
pub(crate) async fn read_upload(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<Vec<u8>, actix_web::Error> {
    let bounds = Bounds { bytes: limit, patience: UPLOAD_PATIENCE };
    let mut received = receive(request, payload.into_inner(), bounds).await?;
    Ok(std::mem::take(&mut *received))
}

/// How much is read, and how long that may take.
#[derive(Clone, Copy)]
struct Bounds {
    bytes: usize,
    patience: Duration,
}

fn receive(
    request: &HttpRequest,
    payload: Payload,
    bounds: Bounds,
) -> impl Future<Output = Result<Zeroizing<Vec<u8>>, actix_web::Error>> + use<> {
    let is_encoded = request
        .headers()
        .get_all(header::CONTENT_ENCODING)
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    async move {
        if announced.is_some_and(|length| length > bounds.bytes) {
            return Err(Problem::too_large(bounds.bytes).into());
        }
        if is_encoded {
            return Err(Problem::encoded().into());
        }
        let reading = read(payload, announced.unwrap_or_default(), bounds.bytes);
        let read = actix_web::rt::time::timeout(bounds.patience, reading).await;
        read.map_err(|_| Problem::timed_out())?
    }
}

/// Reads the body into one place: growing would leave copies behind.
async fn read(
    mut payload: Payload,
    announced: usize,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, actix_web::Error> {
    let mut body = Zeroizing::new(Vec::with_capacity(announced));
    while let Some(chunk) = next_chunk(&mut payload).await {
        let chunk = chunk?;
        if body.len() + chunk.len() > limit {
            return Err(Problem::too_large(limit).into());
        }
        if body.capacity() - body.len() < chunk.len() {
            // Sent in chunks, without a length: make room for the longest.
            let mut roomy = Zeroizing::new(Vec::with_capacity(limit));
            roomy.extend_from_slice(&body);
            body = roomy;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn next_chunk(payload: &mut Payload) -> Option<Result<Bytes, PayloadError>> {
    poll_fn(|context| Pin::new(&mut *payload).poll_next(context)).await
}

/// In lower case and without parameters.
fn media_type_of(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_form_type(media_type: &str) -> bool {
    media_type == URL_ENCODED || media_type == MULTIPART
}

/// Whether a request that nobody reads brings a form, by its own word.
pub(crate) fn is_form(headers: &header::HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| is_form_type(&media_type_of(text)))
}

impl Body {
    pub(crate) fn new(content_type: String, bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { media_type: media_type_of(&content_type), content_type, bytes }
    }

    /// Whether nothing was sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether it is a form of either kind.
    pub(crate) fn is_form(&self) -> bool {
        is_form_type(&self.media_type)
    }

    /// Reads a JSON object; no content type counts as JSON, no bytes as an
    /// object without fields.
    pub(crate) fn json(&self) -> Result<Fields, Problem> {
        if !self.media_type.is_empty() && self.media_type != JSON {
            return Err(Problem::unsupported_media_type(JSON));
        }
        if self.is_empty() {
            return Ok(Fields::default());
        }
        match serde_json::from_slice::<Root>(&self.bytes) {
            Ok(Root::Object(fields)) => Ok(Fields::new(fields)),
            Ok(Root::Other) => {
                Err(Problem::invalid_body("type_error.dict", "value is not a valid dict"))
            }
            Err(_) => Err(Problem::not_json()),
        }
    }

    /// Reads a form of either kind; no content type counts as URL-encoded. A
    /// field without a value counts as absent.
    pub(crate) async fn form(&self) -> Result<Fields, Problem> {
        let pairs = match self.media_type.as_str() {
            "" | URL_ENCODED => url_encoded(&self.bytes),
            MULTIPART => self.multipart().await,
            _ => return Err(Problem::unsupported_media_type(FORMS)),
        };
        let broken = || Problem::invalid_body("value_error.form", "the body is not a valid form");
        let mut fields = Map::new();
        for (name, value) in pairs.ok_or_else(broken)? {
            // Named twice, be it once without a value: two readers might see two forms.
            if fields.insert(name, Value::String(value)).is_some() {
                return Err(broken());
            }
        }
        fields.retain(|_, value| value != "");
        Ok(Fields::new(fields))
    }

    async fn multipart(&self) -> Option<Vec<(String, String)>> {
        let boundary = multer::parse_boundary(&self.content_type).ok()?;
        let mut form = multer::Multipart::with_reader(&self.bytes[..], boundary);
        let mut pairs = Vec::new();
        while let Some(field) = form.next_field().await.ok()? {
            let name = field.name()?.to_owned();
            let value = String::from_utf8(field.bytes().await.ok()?.to_vec()).ok()?;
            pairs.push((name, value));
        }
        Some(pairs)
    }
}

/// The pairs of a URL-encoded form; `None` if a part is not UTF-8.
fn url_encoded(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let decode = |part: &str| {
        let blanks = part.replace('+', " ");
        percent_decode_str(&blanks).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name)?, decode(value)?))
    });
    pairs.collect()
}

/// A JSON text's outermost value. An object that names a field twice is
/// refused: two readers may not see two different requests (RFC 8259 §4).
enum Root {
    Object(Map<String, Value>),
    Other,
}

impl<'de> Deserialize<'de> for Root {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RootVisitor)
    }
}

struct RootVisitor;

impl<'de> Visitor<'de> for RootVisitor {
    type Value = Root;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Root, A::Error> {
        let mut fields = Map::new();
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            if fields.insert(name, value).is_some() {
                return Err(A::Error::custom("a field is named twice"));
            }
        }
        Ok(Root::Object(fields))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Root, A::Error> {
        while items.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(Root::Other)
    }

    fn visit_unit<E>(self) -> Result<Root, E> {
        Ok(Root::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Root, E> {
        Ok(Root::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Root, E> {
        Ok(Root::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Root, E> {
        Ok(Root::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Root, E> {
        Ok(Root::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Root, E> {
        Ok(Root::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Detail;

    fn json(bytes: &[u8]) -> Result<Fields, Problem> {
        let bytes = Zeroizing::new(bytes.to_vec());
        Body::new(JSON.into(), bytes).json()
    }

    fn kind(refused: Result<Fields, Problem>) -> &'static str {
        match refused.err().map(|problem| problem.detail) {
            Some(Detail::Fields(fields)) => fields[0].kind,
            _ => "accepted",
        }
    }

    #[test]
    fn what_is_not_json_is_refused_as_such() {
        let deep = "[".repeat(100_000);
        let nested = format!("{{\"x\":{}", "{\"a\":".repeat(100_000));
        for text in [
            &b"{"[..],
            b"{} x",
            b"{'a': 1}",
            b"{\"a\": NaN}",
            b"{/**/}",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe",
            b"{\"a\": \"\xc0\x80\"}",
            b"{\"a\": \"\\ud800\"}",
            b"{\"email\": 1, \"email\": 2}",
            deep.as_bytes(),
            nested.as_bytes(),
        ] {
            assert_eq!(kind(json(text)), "value_error.jsondecode");
        }
    }

    #[test]
    fn what_is_no_object_is_refused_as_such() {
        for text in ["null", "[]", "[1, {}]", "\"x\"", "7", "-7", "0.5", "true"] {
            assert_eq!(kind(json(text.as_bytes())), "type_error.dict", "{text}");
        }
    }

    #[test]
    fn nothing_is_an_object_without_fields() {
        assert!(json(b"").is_ok());
    }

    #[test]
    fn url_encoded_pairs_are_decoded_strictly() {
        let pairs = url_encoded(b"a=1+2&b=%C3%A9&c&=d").unwrap();
        let expected = [("a", "1 2"), ("b", "é"), ("c", ""), ("", "d")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(url_encoded(b"a=%FF"), None);
        assert_eq!(url_encoded(b"a=\xff"), None);
    }
}
