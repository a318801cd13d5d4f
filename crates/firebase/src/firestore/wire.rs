//! Documents as Firestore writes them:
//! <https://firebase.google.com/docs/firestore/reference/rest/v1/Value>.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use portcullis_domain::Timestamp;
use portcullis_domain::document::{Document, DocumentId, DocumentPage, Fields, Value};
use portcullis_domain::ports::DocumentError;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

/// A document in an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireDocument {
    name: String,
    #[serde(default)]
    fields: Map<String, Json>,
    create_time: String,
    update_time: String,
}

/// Some documents in an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WirePage {
    #[serde(default)]
    documents: Vec<WireDocument>,
    next_page_token: Option<String>,
}

impl WireDocument {
    pub(super) fn document(self) -> Result<Document, DocumentError> {
        self.parsed()
            .ok_or_else(|| DocumentError::Unexpected("a document is not as published".into()))
    }

    fn parsed(self) -> Option<Document> {
        let (_, id) = self.name.rsplit_once('/')?;
        Some(Document {
            id: DocumentId::parse(id).ok()?,
            fields: fields_of(self.fields)?,
            created_at: Timestamp::parse(&self.create_time).ok()?,
            updated_at: Timestamp::parse(&self.update_time).ok()?,
        })
    }
}

impl WirePage {
    pub(super) fn page(self) -> Result<DocumentPage, DocumentError> {
        let documents = self.documents.into_iter().map(WireDocument::document);
        Ok(DocumentPage {
            documents: documents.collect::<Result<_, _>>()?,
            next: self.next_page_token.filter(|next| !next.is_empty()),
        })
    }
}

/// The body of a write.
pub(super) fn body(fields: &Fields) -> Json {
    json!({"fields": fields_json(fields)})
}

fn fields_json(fields: &Fields) -> Json {
    fields.iter().map(|(name, value)| (name.clone(), value_json(value))).collect()
}

fn value_json(value: &Value) -> Json {
    match value {
        Value::Null => json!({"nullValue": null}),
        Value::Bool(bool) => json!({"booleanValue": bool}),
        // As text: JavaScript's numbers have 53 bits.
        Value::Integer(number) => json!({"integerValue": number.to_string()}),
        Value::Float(number) => json!({"doubleValue": float_json(*number)}),
        Value::Text(text) => json!({"stringValue": text}),
        Value::Bytes(bytes) => json!({"bytesValue": STANDARD.encode(bytes)}),
        Value::Timestamp(at) => json!({"timestampValue": at.to_string()}),
        Value::Reference(name) => json!({"referenceValue": name}),
        Value::GeoPoint { latitude, longitude } => {
            json!({"geoPointValue": {"latitude": latitude, "longitude": longitude}})
        }
        Value::Array(values) => {
            json!({"arrayValue": {"values": values.iter().map(value_json).collect::<Vec<_>>()}})
        }
        Value::Map(fields) => json!({"mapValue": {"fields": fields_json(fields)}}),
    }
}

/// JSON has no numbers for these; protocol buffers write words for them.
fn float_json(number: f64) -> Json {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        number.into()
    }
}

fn fields_of(json: Map<String, Json>) -> Option<Fields> {
    json.into_iter().map(|(name, value)| Some((name, value_of(value)?))).collect()
}

/// A value; nothing if it is of a kind that is not published, or of none.
fn value_of(json: Json) -> Option<Value> {
    let Json::Object(mut object) = json else { return None };
    let kind = object.keys().next()?.clone();
    let value = object.remove(&kind).filter(|_| object.is_empty())?;
    Some(match kind.as_str() {
        "nullValue" => Value::Null,
        "booleanValue" => Value::Bool(value.as_bool()?),
        "integerValue" => Value::Integer(integer_of(&value)?),
        "doubleValue" => Value::Float(float_of(&value)?),
        "stringValue" => Value::Text(value.as_str()?.to_owned()),
        "bytesValue" => Value::Bytes(bytes_of(value.as_str()?)?),
        "timestampValue" => Value::Timestamp(Timestamp::parse(value.as_str()?).ok()?),
        "referenceValue" => Value::Reference(value.as_str()?.to_owned()),
        // What is zero may be left out.
        "geoPointValue" => Value::GeoPoint {
            latitude: value.get("latitude").map_or(Some(0.0), float_of)?,
            longitude: value.get("longitude").map_or(Some(0.0), float_of)?,
        },
        "arrayValue" => Value::Array(match value.get("values") {
            None => Vec::new(),
            Some(values) => {
                values.as_array()?.iter().cloned().map(value_of).collect::<Option<_>>()?
            }
        }),
        "mapValue" => Value::Map(match value.get("fields") {
            None => Fields::new(),
            Some(fields) => fields_of(fields.as_object()?.clone())?,
        }),
        _ => return None,
    })
}

fn integer_of(json: &Json) -> Option<i64> {
    json.as_i64().or_else(|| json.as_str()?.parse().ok())
}

fn float_of(json: &Json) -> Option<f64> {
    json.as_f64().or_else(|| match json.as_str()? {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    })
}

/// Protocol buffers accept every base64 in JSON, and so does their reader.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    [STANDARD, URL_SAFE, STANDARD_NO_PAD, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|alphabet| alphabet.decode(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(value: &Value) -> Option<Value> {
        value_of(value_json(value))
    }

    #[test]
    fn every_kind_of_value_is_read_as_it_was_written() {
        let place = Value::GeoPoint { latitude: -33.5, longitude: 151.25 };
        let inner = Fields::from([("a.b".to_owned(), Value::Bool(false))]);
        for value in [
            Value::Null,
            Value::Bool(true),
            Value::Integer(i64::MAX),
            Value::Integer(i64::MIN),
            Value::Float(0.1),
            Value::Float(f64::MAX),
            Value::Float(f64::NEG_INFINITY),
            Value::Text("Grüße \"\\\0".into()),
            Value::Bytes(vec![0, 255, 62, 63]),
            Value::Timestamp(Timestamp::from_micros(1_795_357_306_242_001)),
            Value::Reference("projects/p/databases/(default)/documents/a/b".into()),
            place.clone(),
            Value::Array(vec![]),
            Value::Array(vec![Value::Null, place]),
            Value::Map(Fields::new()),
            Value::Map(inner),
        ] {
            assert_eq!(back(&value), Some(value));
        }
        assert!(matches!(back(&Value::Float(f64::NAN)), Some(Value::Float(it)) if it.is_nan()));
    }

    #[test]
    fn whole_numbers_are_text_so_that_none_is_rounded() {
        let json = value_json(&Value::Integer(9_007_199_254_740_993));
        assert_eq!(json, json!({"integerValue": "9007199254740993"}));
    }

    #[test]
    fn what_google_leaves_out_is_empty_or_zero() {
        assert_eq!(value_of(json!({"arrayValue": {}})), Some(Value::Array(vec![])));
        assert_eq!(value_of(json!({"mapValue": {}})), Some(Value::Map(Fields::new())));
        let origin = Value::GeoPoint { latitude: 0.0, longitude: 0.0 };
        assert_eq!(value_of(json!({"geoPointValue": {}})), Some(origin));
    }

    #[test]
    fn what_is_not_published_is_not_guessed() {
        for json in [
            json!(null),
            json!({}),
            json!({"vectorValue": []}),
            json!({"integerValue": "1.5"}),
            json!({"integerValue": true}),
            json!({"doubleValue": "much"}),
            json!({"timestampValue": "yesterday"}),
            json!({"bytesValue": "*"}),
            json!({"stringValue": "a", "nullValue": null}),
            json!({"arrayValue": {"values": [{}]}}),
        ] {
            assert_eq!(value_of(json.clone()), None, "{json}");
        }
    }

    #[test]
    fn a_document_is_known_by_the_last_of_its_names() {
        let document = |name: &str| {
            let json = json!({
                "name": name,
                "createTime": "2026-11-22T14:00:00.123456789Z",
                "updateTime": "2026-11-22T14:00:01Z"
            });
            serde_json::from_value::<WireDocument>(json).unwrap().document()
        };
        let read = document("projects/p/databases/(default)/documents/users/ann").unwrap();
        assert_eq!((read.id.as_str(), read.fields.len()), ("ann", 0));
        assert_eq!(read.created_at.to_string(), "2026-11-22T14:00:00.123456Z");
        assert!(matches!(document("ann/"), Err(DocumentError::Unexpected(_))));
    }
}
