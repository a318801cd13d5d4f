//! What the App Store answers when it refuses.
//! <https://developer.apple.com/documentation/appstoreserverapi/error-codes>

use serde_json::{Value, json};

use crate::request::Reply;

/// An answer as Apple sends it: its own client looks for exactly this type.
pub(super) fn answer(status: u16, body: &Value) -> Reply {
    Reply::json(status, body).with("content-type", "application/json")
}

/// A refusal with Apple's code, of which the first three digits are its status.
pub(super) fn refusal(code: u32) -> Reply {
    let message = match code {
        4_000_005 => "Invalid request revision.",
        4_000_006 => "Invalid transaction id.",
        4_000_008 => "Invalid original transaction id.",
        4_000_009 => "Invalid extend by days value.",
        4_000_010 => "Invalid extend reason code.",
        4_000_011 => "Invalid request identifier.",
        4_030_004 => "Forbidden - subscription state ineligible for extension.",
        4_030_005 => "Forbidden - subscription has reached maximum extension count.",
        4_030_007 => {
            "Subscriptions that users obtain through Family Sharing can't get a renewal \
                      date extension directly."
        }
        4_040_001 => "Account not found.",
        4_040_002 => "Account not found. Please try again.",
        4_040_003 => "App not found.",
        4_040_004 => "App not found. Please try again.",
        4_040_005 => "Original transaction id not found.",
        4_040_006 => "Original transaction id not found. Please try again.",
        4_040_010 => "Transaction id not found.",
        4_290_000 => "Rate limit exceeded.",
        5_000_000 => "An unknown error occurred.",
        5_000_001 => "An unknown error occurred. Please try again.",
        _ => "Bad request.",
    };
    let status = u16::try_from(code / 10_000).expect("three digits");
    answer(status, &json!({"errorCode": code, "errorMessage": message}))
}

/// A refusal of that status, with the code that is most usual.
pub(super) fn of_status(status: u16) -> Reply {
    match status {
        // It does not explain itself.
        401 => Reply::empty(401),
        403 => refusal(4_030_004),
        404 => refusal(4_040_010),
        429 => refusal(4_290_000),
        500 => refusal(5_000_000),
        502..=599 => Reply::empty(status),
        other => refusal(u32::from(other) * 10_000),
    }
}
