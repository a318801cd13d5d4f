//! Black-box tests: the real binary over TCP.
//!
//! A test starts a [`Server`] of its own, in a folder of its own, and speaks
//! to it as [`Anonymous`] or as [`LoggedIn`]; what comes back is an [`Answer`].
//! Nothing here knows the inside of the server: contract, settings and
//! program are all it has.
//!
//! [`conformance`] and [`timing`] stand apart: the one runs the laws over every
//! adapter and makes a table of what it sees, the other measures whether the time
//! of an answer tells who has an account. A [`deployment`] is two servers behind
//! nginx, asked without a pause by callers of [`keep_alive`].

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a harness fails by panicking"
)]

mod answer;
mod browser;
mod callers;
pub mod conformance;
mod connection;
pub mod deployment;
mod guessing;
pub mod keep_alive;
mod mailbox;
mod page;
mod process;
mod program;
mod random;
mod raw;
mod scrape;
pub mod security;
mod server;
mod stories;
pub mod timing;
mod token;
mod waiting;

pub use answer::Answer;
pub use browser::{Page, in_a_browser};
pub use callers::{Anonymous, LoggedIn};
pub use connection::{Connection, post_of};
pub use guessing::{Guesses, RightOne, guess_at_once};
pub use mailbox::{Mail, Mailbox};
pub use page::{foreign_hosts, resources};
pub use process::cpu_time_of;
pub use program::{Outcome, program, run};
pub use random::Random;
pub use raw::RawAnswer;
pub use scrape::{MetricsPort, Scrape};
pub use server::{NAME, PASSWORD, Server};
pub use token::{claims, header};
pub use waiting::{at_once, eventually, unix_now};

/// A refusal: its status, its stable code and its text.
pub type Problem = (u16, &'static str, &'static str);

/// What the contract answers to each refusal that more than one test meets.
pub mod problem {
    use super::Problem;

    /// Registering an address that is taken.
    pub const EMAIL_TAKEN: Problem = (400, "EMAIL_ALREADY_REGISTERED", "Email already registered");
    /// Signing up with a username or an address that is taken.
    pub const SIGN_UP_FAILED: Problem = (
        400,
        "REGISTRATION_FAILED",
        "Unable to complete registration. Please check your input and try again.",
    );
    /// Fewer than eight characters.
    pub const TOO_SHORT: Problem = (400, "WEAK_PASSWORD", "Password must be at least 8 characters");
    /// Contract A's wrong credentials.
    pub const BAD_LOGIN: Problem = (400, "INVALID_CREDENTIALS", "Invalid email or password");
    /// Contract B's wrong credentials.
    pub const BAD_FORM_LOGIN: Problem = (401, "UNAUTHORIZED", "Incorrect username or password");
    /// The right password for an address that is not proven.
    pub const NOT_VERIFIED: Problem = (400, "EMAIL_NOT_VERIFIED", "Email not verified");
    /// Too many wrong passwords.
    pub const LOCKED: Problem =
        (429, "ACCOUNT_LOCKED", "Account locked due to failed login attempts");
    /// A verification token that is not one, or not any more.
    pub const BAD_VERIFICATION: Problem =
        (400, "INVALID_TOKEN", "Invalid or expired verification token");
    /// A reset token that is not one, or not any more.
    pub const BAD_RESET: Problem = (400, "INVALID_TOKEN", "Invalid or expired reset token");
    /// A refresh token that refreshes nothing.
    pub const BAD_REFRESH: Problem =
        (401, "INVALID_REFRESH_TOKEN", "Invalid or expired refresh token");
    /// A refresh token that is not the caller's.
    pub const NOT_YOURS: Problem = (401, "INVALID_REFRESH_TOKEN", "Invalid refresh token");
    /// Contract A's missing bearer token.
    pub const NO_BEARER: Problem = (403, "NOT_AUTHENTICATED", "Not authenticated");
    /// Contract B's missing bearer token.
    pub const NO_FORM_BEARER: Problem = (401, "NOT_AUTHENTICATED", "Not authenticated");
    /// A bearer token that is not one, or not any more.
    pub const BAD_BEARER: Problem = (401, "INVALID_TOKEN", "Invalid or expired token");
    /// A bearer token whose session ended.
    pub const REVOKED: Problem = (401, "TOKEN_REVOKED", "Token has been revoked");
    /// Too many requests.
    pub const TOO_MANY: Problem =
        (429, "RATE_LIMIT_EXCEEDED", "Rate limit exceeded. Please slow down your requests.");
}
