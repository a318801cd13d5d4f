//! `GET /.well-known/jwks.json`: the public keys of access tokens.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde_json::Value;
use utoipa::ToSchema;

use crate::Api;

/// A JSON Web Key Set (RFC 7517 §5).
#[derive(ToSchema)]
#[schema(as = JwkSet)]
#[expect(dead_code, reason = "documents a text that the keys' owner renders")]
pub(crate) struct JwkSet {
    /// The keys; empty under HS256, whose key is nobody else's.
    #[schema(value_type = Vec<Object>, example = json!([{
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": "2026-01-01", "alg": "EdDSA", "use": "sig"
    }]))]
    keys: Vec<Value>,
}

/// List the keys that verify access tokens
///
/// Other services check tokens with them; a token names its key by `kid`.
#[utoipa::path(
    operation_id = "list_keys",
    tag = "Operation",
    responses((status = 200, description = "The keys", body = JwkSet))
)]
#[get("/.well-known/jwks.json")]
pub(crate) async fn public_keys(api: Data<Api>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        // Short enough for a rotation to be noticed in time.
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(api.app.public_keys())
}
