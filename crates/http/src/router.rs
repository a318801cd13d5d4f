//! Which handler answers which path, and what happens around all of them.

use actix_cors::Cors;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{App, Error, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::api::{Api, CorsOrigins};
use crate::fallback::fallback;
use crate::middleware::answer::answer;
use crate::middleware::rate_limit::{self, rate_limit};
use crate::offers::{self, Offer};
use crate::pages;
use crate::resources::{
    health, jwks, login, logout, password_reset, profile, refresh, register, sign_up, users,
    verify_email,
};

/// The routes that are documented.
pub(crate) fn documented(config: &mut ServiceConfig<'_>) {
    common(config);
    for offer in Offer::ALL {
        offer.configure(config);
    }
}

/// The routes that every deployment serves.
fn common(config: &mut ServiceConfig<'_>) {
    config
        .service(register::register)
        .service(verify_email::verify_by_post)
        .service(verify_email::resend)
        .service(login::log_in)
        .service(sign_up::sign_up)
        .service(refresh::refresh)
        .service(logout::log_out)
        .service(password_reset::request)
        .service(password_reset::confirm)
        .service(profile::show)
        .service(profile::change)
        .service(health::health)
        .service(health::live)
        .service(health::ready)
        .service(jwks::public_keys)
        // Paths with something variable in them come last. They are compared by a
        // regular expression, and whatever looks a request's pattern up takes the
        // first that its path could be meant by: `verify-email/resend` is no token.
        .service(users::show)
        .service(verify_email::verify_by_link);
}

/// The whole service, for one worker of a server.
#[must_use]
pub fn service(
    api: &web::Data<Api>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let cors = cors(&api.settings.cors);
    App::new()
        .app_data(api.clone())
        .configure(|config| {
            let mut documented = ServiceConfig::new(config);
            common(&mut documented);
            for offer in offers::made(api.app.services()) {
                offer.configure(&mut documented);
            }
            pages::configure(api, config);
            config.default_service(web::to(fallback));
        })
        // The last one is the outermost.
        .wrap(from_fn(rate_limit))
        .wrap(cors)
        .wrap(from_fn(answer))
}

/// `*` is sent literally and without credentials; a listed origin is echoed,
/// with them (contract §7).
fn cors(origins: &CorsOrigins) -> Cors {
    let exposed = rate_limit::HEADERS
        .into_iter()
        .chain([header::RETRY_AFTER, header::HeaderName::from_static("x-request-id")]);
    let cors = Cors::default()
        .allow_any_method()
        .allow_any_header()
        .expose_headers(exposed)
        .block_on_origin_mismatch(false)
        .max_age(3600);
    match origins {
        CorsOrigins::Any => cors.allow_any_origin().send_wildcard(),
        CorsOrigins::Listed(origins) => {
            let listed = origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin));
            listed.supports_credentials()
        }
    }
}
