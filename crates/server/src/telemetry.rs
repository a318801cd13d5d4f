//! Logs, on the standard error stream.

use tracing_subscriber::EnvFilter;

use crate::settings::LogSettings;

/// Starts logging. Lines hold request ids and outcomes, never addresses,
/// passwords or tokens.
pub(crate) fn start(settings: &LogSettings) {
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A reader that is gone must not take the requests along.
        .log_internal_errors(false);
    if settings.is_json {
        subscriber.json().flatten_event(true).init();
    } else {
        subscriber.compact().init();
    }
}
