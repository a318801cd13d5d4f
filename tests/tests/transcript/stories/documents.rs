//! What needs no account.

use reqwest::Method;

use super::{LOG_IN, ME, REGISTER};
use crate::conversation::Conversation;
use crate::request::{get, request};

pub(super) async fn tell(talk: &mut Conversation) {
    talk.story("documents", "192.0.2.1");
    talk.say(get("/health")).await.is(200);
    talk.say(get("/.well-known/jwks.json")).await.is(200);
    talk.say(get("/docs")).await.is(307);
    talk.say(get("/docs/").without_body()).await.is(200);
    talk.say(get("/redoc").without_body()).await.is(200);
    talk.say(get("/openapi.json").without_body()).await.is(200);
    talk.say(get("/reset-password").without_body()).await.is(200);
    talk.say(get("/assets/pages.css").without_body()).await.is(200);
    talk.say(get("/assets/nothing.css")).await.is(404);

    talk.story("not there", "192.0.2.2");
    talk.say(get("/")).await.is(404);
    talk.say(get("/api/v1/auth/nothing")).await.is(404);
    talk.say(get("/api/v1/auth/me/")).await.is(404);
    // The mailbox, where there is one, is nobody's who comes through a proxy.
    talk.say(get("/dev/mailbox")).await.is(404);
    talk.say(request(Method::POST, "/health")).await.is(405);
    talk.say(request(Method::DELETE, ME)).await.is(405);
    talk.say(request(Method::PUT, LOG_IN)).await.is(405);
    talk.say(get(REGISTER)).await.is(405);
    talk.say(request(Method::HEAD, ME)).await;

    talk.story("request id", "192.0.2.3");
    let with = |id: String| get("/health").header("x-request-id", id);
    talk.say(with("a-client.chose_THIS-1".into())).await.is(200);
    talk.say(with("x".repeat(128))).await.is(200);
    talk.say(with("x".repeat(129))).await.is(200);
    talk.say(with("two words".into())).await.is(200);
    talk.say(with(String::new())).await.is(200);

    talk.story("other origins", "192.0.2.4");
    let origin = "https://app.example.com";
    talk.say(
        request(Method::OPTIONS, LOG_IN)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization, content-type"),
    )
    .await
    .is(200);
    talk.say(get("/health").header("origin", origin)).await.is(200);
    talk.say(get(ME).header("origin", origin)).await.is(403);
}

/// What orchestrators and load balancers ask.
pub(super) async fn probes(talk: &mut Conversation) {
    talk.story("probes", "192.0.2.5");
    talk.say(get("/health/live")).await.is(200);
    talk.say(get("/health/ready")).await.is(200);
}
