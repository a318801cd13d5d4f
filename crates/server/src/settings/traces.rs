//! Where traces of requests are sent.

use percent_encoding::percent_decode_str;
use portcullis_otlp::TraceSettings;
use secrecy::SecretString;

use super::parse;
use super::reader::{Reader, Wrong};

/// By the names that OpenTelemetry gives these settings everywhere.
pub(super) fn traces(reader: &mut Reader) -> Result<Option<TraceSettings>, Wrong> {
    let Some(endpoint) = reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)? else {
        // Other programs of the machine may read the same names.
        return Ok(None);
    };
    let headers = reader.optional("OTEL_EXPORTER_OTLP_HEADERS", headers);
    let service_name = reader.get("OTEL_SERVICE_NAME", parse::one_line);
    let share = reader.get("OTEL_TRACES_SAMPLER_ARG", share);
    Ok(Some(TraceSettings {
        endpoint,
        headers: headers?.unwrap_or_default(),
        service_name: service_name?,
        service_version: env!("CARGO_PKG_VERSION"),
        share: share?,
    }))
}

/// Without a password, since addresses are shown where settings are.
fn endpoint(text: &str) -> Result<String, String> {
    if text.contains('@') {
        return Err(
            "must hold no user and no password: OTEL_EXPORTER_OTLP_HEADERS is for those".into()
        );
    }
    parse::url(text)
}

/// `name=value`, several by commas, with `%20` for a blank (OpenTelemetry's form, W3C
/// Baggage).
fn headers(text: &str) -> Result<Vec<(String, SecretString)>, String> {
    let header = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let is_good = !name.is_empty()
            && name.bytes().all(is_name)
            && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        is_good.then(|| (name.to_ascii_lowercase(), value.into_owned().into()))
    };
    let headers = text.split(',').map(|pair| header(pair.trim()));
    headers.collect::<Option<_>>().ok_or_else(|| "must be `name=value,…`".into())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "must be a number from 0 to 1".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn headers_are_pairs() {
        let read = |text| {
            let headers = headers(text).ok()?;
            let headers = headers.into_iter();
            Some(
                headers.map(|(name, value)| format!("{name}: {}", value.expose_secret())).collect(),
            )
        };
        assert_eq!(
            read("api-key=a=b, X-Team= c"),
            Some(vec!["api-key: a=b".to_owned(), "x-team: c".into()])
        );
        assert_eq!(
            read("authorization=Basic%20abc"),
            Some(vec!["authorization: Basic abc".to_owned()])
        );
        for wrong in ["", "name", "=value", "a b=c", "a=b,", "a=b\nc"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_address_holds_no_password() {
        assert!(endpoint("http://127.0.0.1:4318").is_ok());
        for wrong in ["127.0.0.1:4318", "https://ann:pass@collector.example.com"] {
            assert!(endpoint(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_are_from_none_to_all() {
        for (text, read) in [("0", Some(0.0)), ("0.25", Some(0.25)), ("1", Some(1.0))] {
            assert_eq!(share(text).ok(), read);
        }
        for wrong in ["", "-0.1", "1.1", "NaN", "all"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
