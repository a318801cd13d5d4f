//! Lists in pages.

use serde_json::json;

use super::refusal::{answer, refusal};
use crate::request::{Reply, Request};

/// Begins a revision; what follows is a place in the list.
const PREFIX: &str = "r.+/=";

/// The page of `signed` that a request asks for, at most `size` long. Only what
/// is on it is signed.
pub(super) fn page<T>(
    request: &Request,
    list: &[T],
    size: usize,
    sign: impl Fn(&T) -> String,
) -> Reply {
    let from = match request.parameter("revision") {
        None => Some(0),
        Some(revision) => revision.strip_prefix(PREFIX).and_then(|place| place.parse().ok()),
    };
    let Some(from) = from.filter(|from| *from <= list.len()) else { return refusal(4_000_005) };
    let end = list.len().min(from + size);
    let signed: Vec<_> = list[from..end].iter().map(sign).collect();
    answer(
        200,
        &json!({
            "revision": format!("{PREFIX}{end}"),
            "hasMore": end < list.len(),
            "signedTransactions": signed,
        }),
    )
}
