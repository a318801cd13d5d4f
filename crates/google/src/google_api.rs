//! Calls that carry access tokens.

use portcullis_api_client::{Answer, ApiClient, Call, CallError, Repeat, Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use crate::access_tokens::TokenError;
use crate::authorization::Authorization;
use crate::failure::{Failure, Refusal};

/// One of Google's APIs, called with authorization.
#[derive(Clone, Debug)]
pub struct GoogleApi {
    client: ApiClient,
    authorization: Authorization,
}

impl GoogleApi {
    /// Calls by this client are authorized so.
    #[must_use]
    pub fn new(client: ApiClient, authorization: Authorization) -> Self {
        Self { client, authorization }
    }

    /// Makes a call; a token that is refused is replaced once. `call` puts the
    /// call together and may be asked twice. All of it together ends by the
    /// client's deadline.
    ///
    /// # Errors
    /// [`Failure`] for all but a success.
    pub async fn send<'a>(
        &'a self,
        repeat: Repeat,
        call: impl Fn(&'a ApiClient) -> Call<'a> + Send,
    ) -> Result<Answer, Failure> {
        let answer = self.exchange(repeat, call).await?;
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(Failure::Refusal(Box::new(Refusal::of(&answer))))
        }
    }

    /// The same, where more than a success may be wanted.
    ///
    /// # Errors
    /// [`Failure`] when there is no token or no answer.
    pub async fn exchange<'a>(
        &'a self,
        repeat: Repeat,
        call: impl Fn(&'a ApiClient) -> Call<'a> + Send,
    ) -> Result<Answer, Failure> {
        let ends = self.ends();
        let token = self.in_time(ends, self.authorization.token()).await?;
        let answer = call(&self.client).bearer(&token).ending_at(ends).send(repeat).await?;
        if is_about_token(&answer)
            && let Some(token) = self.in_time(ends, self.authorization.another(&token)).await?
        {
            return Ok(call(&self.client).bearer(&token).ending_at(ends).send(repeat).await?);
        }
        Ok(answer)
    }

    /// Makes a call whose answer is read as it comes; otherwise like
    /// [`send`](Self::send).
    ///
    /// # Errors
    /// [`Failure`] for all but a success.
    pub async fn open<'a>(
        &'a self,
        repeat: Repeat,
        call: impl Fn(&'a ApiClient) -> Call<'a> + Send,
    ) -> Result<Response, Failure> {
        let ends = self.ends();
        let token = self.in_time(ends, self.authorization.token()).await?;
        let mut opened = call(&self.client).bearer(&token).ending_at(ends).open(repeat).await?;
        if let Err(answer) = &opened
            && is_about_token(answer)
            && let Some(token) = self.in_time(ends, self.authorization.another(&token)).await?
        {
            opened = call(&self.client).bearer(&token).ending_at(ends).open(repeat).await?;
        }
        opened.map_err(|answer| Failure::Refusal(Box::new(Refusal::of(&answer))))
    }

    /// When a call that begins now ends at the latest: with the fetch of its token,
    /// its repetitions, and those of another token's.
    fn ends(&self) -> Instant {
        Instant::now() + self.client.deadline()
    }

    /// A token, if it comes by then.
    async fn in_time<T>(
        &self,
        ends: Instant,
        token: impl Future<Output = Result<T, TokenError>>,
    ) -> Result<T, Failure> {
        match timeout_at(ends, token).await {
            Ok(token) => Ok(token?),
            Err(_) => Err(CallError::TimedOut(self.client.deadline()).into()),
        }
    }
}

/// Whether an answer says that the access token is no good, so that another may
/// be. Cloud Messaging says 401 also of its own access to Apple's service.
fn is_about_token(answer: &Answer) -> bool {
    answer.status == StatusCode::UNAUTHORIZED
        && !Refusal::of(answer).is_because("THIRD_PARTY_AUTH_ERROR")
}
