//! What most tests begin with.

use crate::{LoggedIn, PASSWORD, Server};

/// The subject of the mail that proves a mailbox.
const VERIFICATION: &str = "Verify your email address";
/// The subject of the mail that lets somebody choose a new password.
const RESET: &str = "Reset your password";

impl Server {
    /// Registers somebody by contract A and returns the token that was mailed.
    pub async fn registered(&self, email: &str) -> String {
        self.anonymous().register(email).await.is(201);
        self.mailbox().mail(email, VERIFICATION).await.token()
    }

    /// Registers somebody by contract A and proves their mailbox.
    pub async fn verified(&self, email: &str) {
        let token = self.registered(email).await;
        self.anonymous().verify(&token).await.is(200);
    }

    /// The same, with a password of one's own.
    pub async fn verified_with(&self, email: &str, password: &str) {
        self.anonymous().register_with(email, password).await.is(201);
        let token = self.mailbox().mail(email, VERIFICATION).await.token();
        self.anonymous().verify(&token).await.is(200);
    }

    /// Registers somebody, proves their mailbox and logs them in by contract A.
    pub async fn logged_in(&self, email: &str) -> LoggedIn {
        self.verified(email).await;
        self.logged_in_again(email).await
    }

    /// Logs somebody in by contract A who was before.
    pub async fn logged_in_again(&self, email: &str) -> LoggedIn {
        self.logged_in_with(email, PASSWORD).await
    }

    /// The same, with a password of one's own.
    pub async fn logged_in_with(&self, email: &str, password: &str) -> LoggedIn {
        let answer = self.anonymous().log_in(email, password).await.expect(200);
        self.anonymous().with_tokens_of(&answer)
    }

    /// Signs somebody up by contract B.
    pub async fn signed_up(&self, username: &str, email: &str) -> LoggedIn {
        let answer = self.anonymous().sign_up(username, email).await.expect(201);
        self.anonymous().with_tokens_of(&answer)
    }

    /// Asks for a reset mail and returns the token that was mailed.
    pub async fn reset_token(&self, email: &str) -> String {
        let before = self.mailbox().count(email, RESET).await;
        self.anonymous().request_reset(email).await.is(200);
        self.mailbox().mails(email, RESET, before + 1).await[0].token()
    }
}
