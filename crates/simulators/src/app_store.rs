//! Apple's App Store Server API, and payloads signed as Apple signs them.
//! <https://developer.apple.com/documentation/appstoreserverapi>
//!
//! An [`AppStore`] sells to one app in one environment. It takes only requests
//! with a good token ([`Credentials`]), and signs what it answers with
//! certificates below a root of its own ([`Authority`]), marked as Apple marks
//! its own. What should not be believed is made by [`Forgery`].

mod authority;
mod bearer;
mod extension;
mod forgery;
mod paging;
mod payload;
mod refusal;
mod service;

pub use authority::Authority;
pub use bearer::Credentials;
pub use forgery::Forgery;
pub use payload::{Purchase, Store};
pub use service::{AppStore, Sold};

pub use crate::machine_time::now;
