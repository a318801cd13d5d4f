//! Traces of requests, if they are wanted and this build can send them.

use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::settings::Settings;

/// Where traces go, if anywhere.
#[derive(Default)]
pub(crate) struct Traces {
    #[cfg(feature = "otlp")]
    sent: Option<portcullis_otlp::Traces>,
}

#[cfg(feature = "otlp")]
impl Traces {
    /// As the settings say. Not from within the runtime.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Box<dyn std::error::Error>> {
        let sent = settings.traces.as_ref().map(portcullis_otlp::Traces::open).transpose()?;
        Ok(Self { sent })
    }

    /// What turns spans into traces.
    pub(crate) fn layer<S>(&self) -> Option<impl Layer<S> + Send + Sync + use<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        self.sent.as_ref().map(portcullis_otlp::Traces::layer)
    }

    /// Who follows requests.
    pub(crate) fn of_requests(&self) -> Option<Arc<dyn portcullis_http::traces::Traces>> {
        self.sent.as_ref()?;
        Some(Arc::new(portcullis_otlp::RequestTraces::default()))
    }

    /// Sends what is left. Not from within the runtime.
    pub(crate) fn close(&self) {
        if let Some(sent) = &self.sent {
            sent.close();
        }
    }
}

#[cfg(not(feature = "otlp"))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "what the other build does")]
impl Traces {
    /// Nowhere: settings that say otherwise are refused.
    pub(crate) fn open(_: &Settings) -> Result<Self, Box<dyn std::error::Error>> {
        Ok(Self::default())
    }

    pub(crate) fn layer<S>(&self) -> Option<Box<dyn Layer<S> + Send + Sync>>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        None
    }

    pub(crate) fn of_requests(&self) -> Option<Arc<dyn portcullis_http::traces::Traces>> {
        None
    }

    pub(crate) fn close(&self) {}
}
