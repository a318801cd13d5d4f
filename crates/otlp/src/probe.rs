//! Whether a collector is there.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret;

use crate::TraceSettings;

/// A collector does not take traces.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It cannot be reached.
    #[error("it cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    /// It answers with another status than 200.
    #[error("it answers {0}")]
    Refused(StatusCode),
}

impl TraceSettings {
    /// Sends no spans at all, which a collector takes like any others: an empty message
    /// is a valid one. From within an asynchronous runtime.
    ///
    /// # Errors
    /// [`ProbeError`] when it is not taken, or not within `patience`.
    pub async fn probe(&self, patience: Duration) -> Result<(), ProbeError> {
        let mut client = reqwest::Client::builder()
            .timeout(patience)
            .redirect(reqwest::redirect::Policy::none());
        if !self.is_encrypted() {
            client = client.no_proxy();
        }
        let mut request = client.build()?.post(self.traces_url());
        for (name, value) in &self.headers {
            request = request.header(name, value.expose_secret());
        }
        let request = request.header(CONTENT_TYPE, "application/x-protobuf");
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        match answer.status() {
            StatusCode::OK => Ok(()),
            status => Err(ProbeError::Refused(status)),
        }
    }
}
