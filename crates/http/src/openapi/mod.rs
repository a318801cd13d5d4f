//! The `OpenAPI` document: the routes' own words, and what is true of all of them.

mod examples;
mod problems;

use actix_web::App;
use utoipa::openapi::security::{
    Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityScheme,
};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{InfoBuilder, License, OpenApi, OpenApiBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;

use crate::problem::ProblemBody;
use crate::router::documented;

const DESCRIPTION: &str = "\
A JWT authentication service that speaks two contracts over the same accounts.

* **Contract A**: JSON; e-mail and password; verified addresses; rotating refresh tokens.
* **Contract B**: forms; username and password; tokens at sign-up; refresh tokens that stay.

To try it: press **Authorize**, enter a username or a verified e-mail address with its \
password, and call any operation with a padlock.

Every answer that is not a success is a `Problem`: a `detail`, an `error_code` for programs, \
and a `timestamp`. Limited answers carry `X-RateLimit-Limit`, `X-RateLimit-Remaining` and \
`X-RateLimit-Reset`.";

/// The document of everything that is served, the same that
/// `portcullis openapi` prints.
#[must_use]
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Portcullis")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(License::new("MIT OR Apache-2.0")))
        .build();
    let base = OpenApiBuilder::new().info(info).tags(Some(tags())).build();
    let app = App::new().into_utoipa_app().openapi(base).configure(documented);
    let (_, mut document) = app.split_for_parts();
    add_security_schemes(&mut document);
    add_problem_schemas(&mut document);
    problems::add_to(&mut document);
    examples::add_to(&mut document);
    document
}

/// The groups of operations, in the order in which a reader wants them.
fn tags() -> [Tag; 5] {
    let tag = |name, about| TagBuilder::new().name(name).description(Some(about)).build();
    [
        tag("Contract A: JSON and e-mail", "Registration, verification, profile, password reset."),
        tag("Contract B: forms and username", "Sign-up and account."),
        tag("Both contracts", "Login, refresh and logout: the request says which one applies."),
        tag("Purchases", "What people bought in Apple's App Store."),
        tag("Operation", "For those who run it, and for services that check tokens."),
    ]
}

fn add_security_schemes(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let password = Flow::Password(Password::new("/api/v1/auth/login", Scopes::new()));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token."));
    components.add_security_scheme(
        "password",
        SecurityScheme::OAuth2(OAuth2::with_description(
            [password],
            "Username or verified e-mail address, and password. Leave the client empty.",
        )),
    );
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
}

fn add_problem_schemas(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let mut schemas = Vec::new();
    ProblemBody::schemas(&mut schemas);
    schemas.push(("Problem".to_owned(), ProblemBody::schema()));
    components.schemas.extend(schemas);
}
