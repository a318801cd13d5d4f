//! Renewal dates that are moved.
//! <https://developer.apple.com/documentation/appstoreserverapi/extend-a-subscription-renewal-date>

use serde_json::{Value, json};

use super::refusal::{answer, refusal};
use super::service::Sold;
use crate::request::Reply;

/// How often within a year; the simulator sees no years pass.
const MOST_EXTENSIONS: usize = 2;
/// Longest request identifier.
const LONGEST_IDENTIFIER: usize = 128;
const DAY: i64 = 24 * 3_600_000;

/// Moves a renewal date, once under one request identifier.
pub(super) fn extend(sold: &mut Sold, body: &Value) -> Reply {
    let days = body["extendByDays"].as_i64().filter(|days| (1..=90).contains(days));
    let Some(days) = days else { return refusal(4_000_009) };
    if !body["extendReasonCode"].as_i64().is_some_and(|code| (0..=3).contains(&code)) {
        return refusal(4_000_010);
    }
    let identifier = body["requestIdentifier"].as_str().unwrap_or_default();
    if identifier.trim().is_empty() || identifier.len() > LONGEST_IDENTIFIER {
        return refusal(4_000_011);
    }
    if sold.purchase.ownership == "FAMILY_SHARED" {
        return refusal(4_030_007);
    }
    let end = match sold.purchase.expires_at {
        Some(end) if sold.status == 1 => end,
        _ => return refusal(4_030_004),
    };
    if !sold.extensions.iter().any(|known| known == identifier) {
        if sold.extensions.len() >= MOST_EXTENSIONS {
            return refusal(4_030_005);
        }
        sold.extensions.push(identifier.to_owned());
        sold.purchase.expires_at = Some(end + days * DAY);
    }
    answer(
        200,
        &json!({
            "originalTransactionId": sold.purchase.original_id,
            "webOrderLineItemId": format!("9{}", sold.purchase.id),
            "success": true,
            "effectiveDate": sold.purchase.expires_at,
        }),
    )
}
