//! Routes that exist only where a deployment has the service behind them.

use portcullis_app::Services;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::resources::{avatar, devices, firebase_login, purchases};

/// A group of routes and the service that they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// Logging in by an identity provider's token.
    Identity,
    /// Pictures of account owners.
    Pictures,
    /// Notices on devices.
    Devices,
    /// Purchases in the App Store.
    Purchases,
}

impl Offer {
    pub(crate) const ALL: [Self; 4] =
        [Self::Identity, Self::Pictures, Self::Devices, Self::Purchases];

    /// Whether the service is there.
    fn is_made(self, services: &Services) -> bool {
        match self {
            Self::Identity => services.identity.is_some(),
            Self::Pictures => services.pictures.is_some(),
            Self::Devices => services.notifier.is_some(),
            Self::Purchases => services.purchases.is_some(),
        }
    }

    /// Adds its routes.
    pub(crate) fn configure(self, config: &mut ServiceConfig<'_>) {
        match self {
            Self::Identity => config.service(firebase_login::log_in),
            Self::Pictures => {
                config.service(avatar::set).service(avatar::show).service(avatar::remove)
            }
            Self::Devices => config.service(devices::register).service(devices::forget),
            Self::Purchases => config
                .service(purchases::claim)
                .service(purchases::list)
                .service(purchases::take_notification),
        };
    }

    /// Where its routes begin.
    fn prefix(self) -> &'static str {
        match self {
            Self::Identity => "/api/v1/auth/firebase",
            Self::Pictures => "/api/v1/auth/me/avatar",
            Self::Devices => "/api/v1/auth/me/devices",
            Self::Purchases => "/api/v1/purchases",
        }
    }
}

/// The offers that a deployment makes.
pub(crate) fn made(services: &Services) -> impl Iterator<Item = Offer> {
    Offer::ALL.into_iter().filter(|offer| offer.is_made(services))
}

/// Whether the service behind a documented path is there, if it needs one.
pub(crate) fn is_served(path: &str, services: &Services) -> bool {
    Offer::ALL
        .into_iter()
        .filter(|offer| path.starts_with(offer.prefix()))
        .all(|offer| offer.is_made(services))
}
