//! Logs, on the standard error stream.

mod grouped;
mod json;

use std::panic::PanicHookInfo;

use grouped::Grouped;
pub(crate) use grouped::{group_lines_of_this_thread, write_waiting_lines};
use json::{JsonLine, JsonMembers};
use tracing::error;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::settings::LogSettings;
use crate::traces::Traces;

/// Starts logging, and following requests if that is wanted. Lines hold request ids,
/// ids of users and sessions, network addresses and outcomes, never e-mail addresses,
/// passwords or tokens.
pub(crate) fn start(settings: &LogSettings, traces: &Traces) {
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    match traces.layer() {
        // A filter in front of everything costs less than one for each layer.
        None => tracing_subscriber::registry().with(lines(settings)).with(filter).init(),
        Some(layer) => {
            let lines = lines(settings).with_filter(filter);
            tracing_subscriber::registry().with(lines).with(layer).init();
        }
    }
    std::panic::set_hook(Box::new(tell_of_panic));
}

/// Writes what happens, a line for each.
fn lines<S>(settings: &LogSettings) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Grouped::to_stderr())
        // A reader that is gone must not take the requests along.
        .log_internal_errors(false);
    if settings.is_json {
        lines.fmt_fields(JsonMembers).event_format(JsonLine).boxed()
    } else {
        lines.compact().boxed()
    }
}

/// Tells where a panic was, in a line like all others. What it says is left out:
/// it may quote the value that it stumbled over.
fn tell_of_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let thread = std::thread::current();
    error!(place, thread = thread.name(), "panicked");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    /// What is written, to be read.
    #[derive(Clone, Default)]
    pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        /// The JSON lines of what happens meanwhile.
        pub(super) fn of(happens: impl FnOnce()) -> String {
            let lines = Self::default();
            let written = lines.clone();
            let subscriber = tracing_subscriber::fmt()
                .fmt_fields(JsonMembers)
                .event_format(JsonLine)
                .with_writer(move || written.clone())
                .finish();
            tracing::subscriber::with_default(subscriber, happens);
            String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn op_01_op_05_a_panic_is_logged_by_its_place_and_not_by_its_words() {
        let text = Lines::of(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(tell_of_panic));
            let panicked = std::panic::catch_unwind(|| panic!("stumbled over canary-7d1a"));
            std::panic::set_hook(before);
            assert!(panicked.is_err());
        });
        assert!(text.contains("panicked") && text.contains(file!()), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
