//! A line of the log as a JSON document.
//!
//! Every request writes one, so this takes no detour over values and trees.

use std::fmt::{self, Debug};

use portcullis_crypto::SystemClock;
use portcullis_domain::ports::Clock;
use serde::{Serialize, Serializer};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// The field by which a line says itself what its span says, too.
const REQUEST_ID: &str = "request_id";

/// What most lines are shorter than, in bytes.
const LINE: usize = 512;

/// What most spans say in less, in bytes.
const SPAN: usize = 128;

/// Writes events: when, how grave, what they say, where they come from, and the span
/// that they are in.
pub(super) struct JsonLine;

/// Writes what a span says, as the members of an object.
pub(super) struct JsonMembers;

impl<S> FormatEvent<S, JsonMembers> for JsonLine
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonMembers>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // What comes by way of the crate `log` names its origin in fields.
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let mut line = Members(Vec::with_capacity(LINE));
        line.add("timestamp", Text(&SystemClock.now()));
        line.add("level", metadata.level().as_str());
        event.record(&mut line);
        line.add("target", metadata.target());
        let says_it_itself = event.metadata().fields().field(REQUEST_ID).is_some();
        let parent = || event.parent().and_then(|parent| context.span(parent));
        let span =
            if says_it_itself { None } else { parent().or_else(|| context.lookup_current()) };
        writer.write_char('{')?;
        line.write_to(&mut writer)?;
        if let Some(span) = span {
            let mut name = Members::default();
            name.add("name", span.name());
            writer.write_str(",\"span\":{")?;
            name.write_to(&mut writer)?;
            let extensions = span.extensions();
            let said = extensions.get::<FormattedFields<JsonMembers>>();
            if let Some(said) = said.filter(|said| !said.is_empty()) {
                writer.write_char(',')?;
                writer.write_str(said)?;
            }
            writer.write_char('}')?;
        }
        writer.write_str("}\n")
    }
}

impl<'writer> FormatFields<'writer> for JsonMembers {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut members = Members(Vec::with_capacity(SPAN));
        fields.record(&mut members);
        members.write_to(&mut writer)
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &tracing::span::Record<'_>,
    ) -> fmt::Result {
        let mut members = Members::default();
        fields.record(&mut members);
        if !current.is_empty() && !members.0.is_empty() {
            current.fields.push(',');
        }
        members.write_to(&mut current.as_writer())
    }
}

/// Members of an object, with commas between them.
#[derive(Default)]
struct Members(Vec<u8>);

impl Members {
    /// Adds what a field says, unless it says where a record of the crate `log` comes
    /// from, as the target does.
    fn say(&mut self, field: &Field, value: impl Serialize) {
        if !field.name().starts_with("log.") {
            self.add(field.name(), value);
        }
    }

    fn add(&mut self, name: &str, value: impl Serialize) {
        let Self(text) = self;
        let end = text.len();
        if end > 0 {
            text.push(b',');
        }
        let mut serializer = serde_json::Serializer::new(&mut *text);
        let is_named = name.serialize(&mut serializer).is_ok();
        text.push(b':');
        let mut serializer = serde_json::Serializer::new(&mut *text);
        // Half a member would spoil the line.
        if !is_named || value.serialize(&mut serializer).is_err() {
            text.truncate(end);
        }
    }

    fn write_to(&self, writer: &mut impl fmt::Write) -> fmt::Result {
        writer.write_str(str::from_utf8(&self.0).map_err(|_| fmt::Error)?)
    }
}

/// What is written as it is displayed.
struct Text<'a, T>(&'a T);

impl<T: fmt::Display> Serialize for Text<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// What is displayed as it is for debugging, which for what was given with `%` is how
/// it is displayed.
struct Shown<'a>(&'a dyn Debug);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Visit for Members {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.say(field, Text(&Shown(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.say(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.say(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.say(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.say(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.say(field, value);
    }
}

#[cfg(test)]
mod tests {
    use crate::telemetry::tests::Lines;
    use portcullis_domain::Timestamp;
    use serde_json::{Value, json};
    use tracing::{error, info, info_span};

    /// What is written of what happens meanwhile, but for when.
    fn lines_of(happens: impl FnOnce()) -> Vec<Value> {
        let text = Lines::of(happens);
        assert!(text.ends_with('\n'), "{text}");
        text.lines().map(without_its_time).collect()
    }

    fn without_its_time(line: &str) -> Value {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let timestamp = line.as_object_mut().unwrap().remove("timestamp").unwrap();
        let timestamp = timestamp.as_str().unwrap();
        assert!(Timestamp::parse(timestamp).is_ok() && timestamp.ends_with('Z'), "{timestamp}");
        line
    }

    const HERE: &str = module_path!();

    #[test]
    fn a_line_has_what_the_event_says_and_its_span() {
        let lines = lines_of(|| {
            let _within = info_span!("request", request_id = "0d5c", client = %"::1").entered();
            info!(number = 7, negative = -7, share = 0.5, is_so = true, none = None::<u8>, "done");
        });
        let span = json!({ "name": "request", "request_id": "0d5c", "client": "::1" });
        assert_eq!(
            lines,
            [json!({
                "level": "INFO", "message": "done", "number": 7, "negative": -7, "share": 0.5,
                "is_so": true, "target": HERE, "span": span,
            })]
        );
    }

    #[test]
    fn a_line_that_names_its_request_does_not_say_so_twice() {
        let lines = lines_of(|| {
            let _within = info_span!("request", request_id = "0d5c").entered();
            error!(request_id = "0d5c", "failed");
        });
        let line =
            json!({ "level": "ERROR", "message": "failed", "request_id": "0d5c", "target": HERE });
        assert_eq!(lines, [line]);
    }

    #[test]
    fn a_span_may_say_nothing_at_first_or_more_later() {
        let lines = lines_of(|| {
            let span = info_span!("job", done = tracing::field::Empty);
            span.in_scope(|| info!("begun"));
            span.record("done", 1);
            span.in_scope(|| info!("under way"));
        });
        assert_eq!(lines[0]["span"], json!({ "name": "job" }));
        assert_eq!(lines[1]["span"], json!({ "name": "job", "done": 1 }));
    }

    #[test]
    fn a_record_of_the_crate_log_comes_from_its_own_target() {
        use tracing_log::log::{Level, Record};
        let lines = lines_of(|| {
            let mut record = Record::builder();
            record.level(Level::Warn).target("library").file(Some("library.rs")).line(Some(7));
            tracing_log::format_trace(&record.args(format_args!("odd")).build()).unwrap();
        });
        assert_eq!(lines, [json!({ "level": "WARN", "message": "odd", "target": "library" })]);
    }

    #[test]
    fn whatever_is_said_stays_one_document_of_one_line() {
        let odd = "\" \\ \n \r \t \0 \u{1b}[31m \u{2028} \u{7f} é 🦀 }{,";
        let lines = lines_of(|| {
            let _within = info_span!("request", odd, shown = %odd).entered();
            info!(odd, shown = %odd, written = ?odd, nan = f64::NAN, "{odd}");
        });
        assert_eq!(lines.len(), 1);
        for name in ["message", "odd", "shown"] {
            assert_eq!(lines[0][name], odd, "{name}");
        }
        assert_eq!(lines[0]["written"], format!("{odd:?}"));
        assert_eq!(
            (&lines[0]["span"]["odd"], &lines[0]["span"]["shown"]),
            (&json!(odd), &json!(odd))
        );
        assert_eq!(lines[0]["nan"], Value::Null);
    }
}
