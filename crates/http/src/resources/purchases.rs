//! `/api/v1/purchases`: what people bought in Apple's App Store.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, post};
use portcullis_app::PurchaseRefused;
use portcullis_domain::error::with_causes;
use portcullis_domain::purchase::{ProductId, SignedPayload, TransactionId};
use portcullis_domain::{Contract, PurchaseState, Timestamp};
use serde::Serialize;
use tracing::{info, warn};
use utoipa::ToSchema;

use crate::Api;
use crate::extract::bearer::Bearer;
use crate::extract::body::Body;
use crate::problem::Problem;

/// A purchase to be confirmed.
#[derive(ToSchema)]
#[schema(as = PurchaseRequest)]
#[expect(dead_code, reason = "documents what `claim` reads")]
pub(crate) struct PurchaseRequest {
    /// The transaction's id, as `StoreKit` tells it.
    #[schema(min_length = 1, example = "2000000123456789")]
    transaction_id: String,
    /// What was bought, to be sure that it is this.
    #[schema(min_length = 1, example = "pro.monthly")]
    product_id: Option<String>,
}

/// What Apple sends unasked (App Store Server Notifications, version 2).
#[derive(ToSchema)]
#[schema(as = AppStoreNotification)]
#[expect(dead_code, reason = "documents what `take_notification` reads")]
#[expect(non_snake_case, reason = "Apple's name")]
pub(crate) struct NotificationRequest {
    /// What Apple signed.
    #[schema(min_length = 1, example = "eyJhbGciOiJFUzI1NiIsIng1YyI6WyJ…")]
    signedPayload: String,
}

/// A purchase, as Apple told it last.
#[derive(Serialize, ToSchema)]
pub(crate) struct PurchaseResponse {
    /// The purchase that all its renewals go back to.
    #[schema(example = "2000000123456789")]
    original_transaction_id: String,
    /// What was bought.
    #[schema(example = "pro.monthly")]
    product_id: String,
    /// `Production`, or `Sandbox`, where nobody pays.
    #[schema(example = "Production")]
    environment: &'static str,
    /// Whether it may be used now.
    #[schema(example = true)]
    is_active: bool,
    /// When it was paid or renewed.
    #[schema(format = DateTime, example = "2026-01-01T00:00:00.000000Z")]
    purchased_at: String,
    /// When it runs out, if ever.
    #[schema(format = DateTime, required = true, example = "2026-02-01T00:00:00.000000Z")]
    expires_at: Option<String>,
    /// When it was refunded, no longer shared, or gave way to a higher level, if it
    /// was.
    #[schema(format = DateTime, required = true)]
    revoked_at: Option<String>,
}

impl PurchaseResponse {
    fn of(state: &PurchaseState, now: Timestamp) -> Self {
        Self {
            original_transaction_id: state.purchase.as_str().to_owned(),
            product_id: state.product.as_str().to_owned(),
            environment: state.environment.as_str(),
            is_active: state.is_good_at(now),
            purchased_at: state.purchased_at.to_string(),
            expires_at: state.expires_at.map(|at| at.to_string()),
            revoked_at: state.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// What only an operator can make sense of: wrong settings, or somebody's forgery.
fn tell_the_log(refused: &PurchaseRefused) {
    match refused {
        PurchaseRefused::Forged(error) => {
            warn!(cause = with_causes(error), "a notification is not believed");
        }
        PurchaseRefused::Unknown(error) => {
            info!(cause = with_causes(error), "a purchase is not known");
        }
        _ => {}
    }
}

/// Note a purchase
///
/// The App Store is asked, and what it signed is checked. A purchase belongs to
/// the account whose id the app gave as `appAccountToken` when it was bought, or
/// else to the first account that notes it here. Noting it again brings it up to
/// date.
///
/// Exists where `APP_STORE_BUNDLE_ID` is set.
#[utoipa::path(
    operation_id = "claim_purchase",
    tag = "Purchases",
    request_body(content = PurchaseRequest, content_type = "application/json"),
    responses((status = 200, description = "Noted", body = PurchaseResponse)),
    security(("password" = []), ("bearer" = []))
)]
#[post("/api/v1/purchases/app-store")]
pub(crate) async fn claim(
    api: Data<Api>,
    request: HttpRequest,
    bearer: Bearer,
    body: Body,
) -> Result<Json<PurchaseResponse>, Problem> {
    let mut fields = body.json()?;
    let caller = bearer.authenticate(&request, Contract::Json).await?;
    let id = fields.required("transaction_id", TransactionId::parse);
    let product = fields.optional("product_id", ProductId::parse);
    fields.check()?;
    let id = id.ok_or_else(|| fields.refusal())?;
    let claimed = api.app.claim_purchase(caller.user.id, id, product).await;
    let state = claimed.inspect_err(tell_the_log)?;
    let (user, product) = (caller.user.id.as_uuid(), state.product.as_str());
    info!(event = "purchase_claimed", %user, product);
    Ok(Json(PurchaseResponse::of(&state, api.app.now())))
}

/// List the own purchases
///
/// The newest first, as Apple told them last.
#[utoipa::path(
    operation_id = "list_purchases",
    tag = "Purchases",
    responses((status = 200, description = "The purchases", body = [PurchaseResponse])),
    security(("password" = []), ("bearer" = []))
)]
#[get("/api/v1/purchases")]
pub(crate) async fn list(
    api: Data<Api>,
    request: HttpRequest,
    bearer: Bearer,
) -> Result<Json<Vec<PurchaseResponse>>, Problem> {
    let caller = bearer.authenticate(&request, Contract::Json).await?;
    let (states, now) = (api.app.purchases(caller.user.id).await?, api.app.now());
    Ok(Json(states.iter().map(|state| PurchaseResponse::of(state, now)).collect()))
}

/// Take a notification of Apple's
///
/// For the App Store alone: its address is entered in App Store Connect. Only
/// what Apple signed for this app is believed; each notification may come more
/// than once, and in any order.
#[utoipa::path(
    operation_id = "take_app_store_notification",
    tag = "Purchases",
    request_body(content = NotificationRequest, content_type = "application/json"),
    responses((status = 204, description = "Taken note of"))
)]
#[post("/api/v1/purchases/app-store/notifications")]
pub(crate) async fn take_notification(api: Data<Api>, body: Body) -> Result<HttpResponse, Problem> {
    let mut fields = body.json()?;
    let signed = fields.required("signedPayload", SignedPayload::parse);
    let signed = signed.ok_or_else(|| fields.refusal())?;
    let taken = api.app.take_app_store_notification(signed).await;
    let (kind, user) = taken.inspect_err(tell_the_log)?;
    let user = user.map(|user| user.to_string());
    info!(event = "app_store_notification", kind = kind.as_str(), user);
    Ok(HttpResponse::NoContent().finish())
}
