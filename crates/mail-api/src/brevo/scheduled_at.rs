//! Points in time as Brevo writes them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};

use crate::error::{Provider, SendError};

/// An ISO 8601 date and time, in UTC with milliseconds. Without an offset it is
/// UTC; a date alone is its midnight.
pub(super) fn in_utc(text: &str) -> Result<String, SendError> {
    let moment = with_offset(text).or_else(|| without_offset(text));
    let moment = moment.ok_or(SendError::Unsupported {
        provider: Provider::Brevo,
        what: "scheduled_at must be an ISO-8601 datetime string for Brevo",
    })?;
    Ok(moment.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn with_offset(text: &str) -> Option<DateTime<Utc>> {
    ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"]
        .iter()
        .find_map(|format| DateTime::parse_from_str(&text.replace('Z', "+00:00"), format).ok())
        .map(|moment| moment.to_utc())
}

fn without_offset(text: &str) -> Option<DateTime<Utc>> {
    let date_alone = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| Some(date_alone()?.and_time(NaiveTime::MIN)))
        .map(|moment| moment.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_8601_becomes_utc_with_milliseconds() {
        for (text, utc) in [
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00.000Z"),
            ("2026-12-24T18:00:00+02:00", "2026-12-24T16:00:00.000Z"),
            ("2026-12-24T18:00:00-0530", "2026-12-24T23:30:00.000Z"),
            ("2026-12-24T18:00:00.123456Z", "2026-12-24T18:00:00.123Z"),
            ("2026-12-24 18:00:00+00:00", "2026-12-24T18:00:00.000Z"),
            ("2026-12-24T18:00:00", "2026-12-24T18:00:00.000Z"),
            ("2026-12-24T18:00", "2026-12-24T18:00:00.000Z"),
            ("2026-12-24T18:00Z", "2026-12-24T18:00:00.000Z"),
            ("2026-12-24", "2026-12-24T00:00:00.000Z"),
        ] {
            assert_eq!(in_utc(text).as_deref(), Ok(utc), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "in 1 min",
            "tomorrow",
            "1766599200",
            "2026-13-01",
            "24.12.2026",
            "2026-12-24T25:00:00Z",
        ] {
            let refused = "scheduled_at must be an ISO-8601 datetime string for Brevo";
            assert_eq!(in_utc(text).unwrap_err().to_string(), refused, "{text}");
        }
    }
}
