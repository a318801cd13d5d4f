//! Objects behind signed URLs, where they lie on this machine.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use portcullis_app::Failure;
use portcullis_domain::ObjectName;
use portcullis_domain::ports::{ObjectError, SignedDownloads};
use serde::Deserialize;

use crate::Api;
use crate::problem::Problem;

/// Longest object that is given out here: it is held in memory. Portraits are
/// a hundredth of it.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// What makes a URL a signed one.
#[derive(Deserialize)]
pub(super) struct Signed {
    #[serde(default)]
    expires: String,
    #[serde(default)]
    signature: String,
}

pub(super) async fn show(
    api: Data<Api>,
    name: Path<String>,
    Query(signed): Query<Signed>,
) -> Result<HttpResponse, Problem> {
    let pictures = api.app.services().pictures.as_ref();
    let downloads = pictures.and_then(|pictures| pictures.downloads.as_deref());
    let Some(downloads) = downloads else { return Err(Problem::not_found()) };
    let Ok(name) = ObjectName::parse(&name) else { return Err(Problem::not_found()) };
    opened(downloads, &name, &signed).await
}

async fn opened(
    downloads: &dyn SignedDownloads,
    name: &ObjectName,
    signed: &Signed,
) -> Result<HttpResponse, Problem> {
    let opened = downloads.open(name, &signed.expires, &signed.signature, MAX_BYTES).await;
    let opened = opened.map_err(|error| match error {
        ObjectError::TooLarge { .. } => Problem::not_found(),
        error => Failure::Unavailable(error.into()).into(),
    })?;
    let Some((meta, content)) = opened else { return Err(Problem::not_found()) };
    let content_type = meta.content_type.map(|known| known.as_str().to_owned());
    Ok(HttpResponse::Ok()
        .content_type(content_type.unwrap_or_else(|| "application/octet-stream".to_owned()))
        .insert_header((header::CACHE_CONTROL, "private, max-age=3600"))
        .body(content))
}
