//! Everything that the contract serves, and a valid request for each.

use portcullis_tests::{LoggedIn, PASSWORD};
use reqwest::{Method, RequestBuilder};

/// What a route reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    Nothing,
    Json,
    Form,
}

/// A route, and the texts that it asks for with good values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) reads: Reads,
    pub(crate) fields: &'static [(&'static str, &'static str)],
}

const fn get(path: &'static str) -> Route {
    Route { method: "GET", path, reads: Reads::Nothing, fields: &[] }
}

const fn post(path: &'static str, fields: &'static [(&'static str, &'static str)]) -> Route {
    Route { method: "POST", path, reads: Reads::Json, fields }
}

const EMAIL: (&str, &str) = ("email", "ann@example.com");

/// All routes of the contract.
pub(crate) const ROUTES: &[Route] = &[
    post("/api/v1/auth/register", &[EMAIL, ("name", "Ann"), ("password", PASSWORD)]),
    post("/api/v1/auth/login", &[EMAIL, ("password", PASSWORD)]),
    post("/api/v1/auth/verify-email", &[("token", "some-token")]),
    post("/api/v1/auth/verify-email/resend", &[EMAIL]),
    post("/api/v1/auth/refresh", &[("refresh_token", "some-token")]),
    post("/api/v1/auth/logout", &[("refresh_token", "some-token")]),
    post("/api/v1/auth/password-reset/request", &[EMAIL]),
    post(
        "/api/v1/auth/password-reset/confirm",
        &[("token", "some-token"), ("new_password", PASSWORD)],
    ),
    Route {
        method: "PATCH",
        path: "/api/v1/auth/me",
        reads: Reads::Json,
        fields: &[("name", "Ann")],
    },
    Route {
        method: "POST",
        path: "/api/v1/auth/signup",
        reads: Reads::Form,
        fields: &[
            ("username", "annlee"),
            EMAIL,
            ("password", PASSWORD),
            ("first_name", "Ann"),
            ("last_name", "Lee"),
        ],
    },
    Route {
        method: "POST",
        path: "/api/v1/auth/login",
        reads: Reads::Form,
        fields: &[("username", "annlee"), ("password", PASSWORD)],
    },
    get("/api/v1/auth/verify-email/some-token"),
    get("/api/v1/auth/me"),
    get("/api/v1/users/me"),
    get("/health"),
    get("/health/live"),
    get("/health/ready"),
    get("/.well-known/jwks.json"),
    get("/openapi.json"),
    get("/docs/"),
    get("/redoc"),
    get("/reset-password"),
];

impl Route {
    /// The routes that read JSON.
    pub(crate) fn of_json() -> impl Iterator<Item = &'static Self> {
        ROUTES.iter().filter(|route| route.reads == Reads::Json)
    }

    /// The routes that read a form.
    pub(crate) fn of_forms() -> impl Iterator<Item = &'static Self> {
        ROUTES.iter().filter(|route| route.reads == Reads::Form)
    }

    fn verb(&self) -> Method {
        self.method.parse().unwrap()
    }

    /// A request without a body, of somebody with a token.
    pub(crate) fn by(&self, caller: &LoggedIn) -> RequestBuilder {
        caller.request(self.verb(), self.path)
    }

    /// The good body, as the route reads it.
    pub(crate) fn body(&self) -> String {
        let pairs = self.fields.iter();
        match self.reads {
            Reads::Nothing => String::new(),
            Reads::Json => {
                let pairs: Vec<_> =
                    pairs.map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
                format!("{{{}}}", pairs.join(","))
            }
            Reads::Form => {
                let pairs: Vec<_> = pairs
                    .map(|(name, value)| format!("{name}={}", value.replace('!', "%21")))
                    .collect();
                pairs.join("&")
            }
        }
    }

    /// The media type of that body.
    pub(crate) fn media_type(&self) -> &'static str {
        match self.reads {
            Reads::Nothing => "",
            Reads::Json => "application/json",
            Reads::Form => "application/x-www-form-urlencoded",
        }
    }
}
