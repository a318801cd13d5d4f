//! Which problems each operation can answer with. The examples are the real
//! problems, rendered.

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_domain::purchase::{ProductId, ProductMismatch};
use portcullis_domain::push::InvalidDeviceToken;
use portcullis_domain::{Contract, Timestamp, WeakPassword};
use serde_json::{Value, json};
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, OpenApi, Ref, RefOr};

use crate::extract::body::MAX_BODY;
use crate::problem::{FieldError, Problem};

/// The moment at which the examples happen.
const THEN: Timestamp = Timestamp::from_seconds(1_767_225_600);
/// `AVATAR_MAX_BYTES`, unless it is set.
const DEFAULT_AVATAR: usize = 5 * 1024 * 1024;
const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

/// Adds every operation's problems.
pub(super) fn add_to(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let PathItem { get, post, patch, put, delete, .. } = item;
        for operation in [get, post, patch, put, delete].into_iter().flatten() {
            let id = operation.operation_id.clone().unwrap_or_default();
            let mut problems = particular(&id);
            if operation.request_body.is_some() {
                problems.push(Problem::timed_out());
                if id == "set_avatar" {
                    problems.push(Problem::too_large(DEFAULT_AVATAR));
                    problems.push(Problem::not_a_picture());
                    problems.push(Problem::damaged_picture("the image is damaged".to_owned()));
                } else {
                    problems.push(Problem::too_large(MAX_BODY));
                    problems.push(Problem::unsupported_media_type("application/json"));
                    problems.push(Problem::not_json());
                    problems.push(missing_field());
                }
            }
            problems.push(Problem::rate_limited(MINUTE));
            if !id.starts_with("health") {
                problems.push(Problem::unavailable());
            }
            problems.push(Problem::internal());
            add(operation, problems);
        }
    }
}

fn missing_field() -> Problem {
    Problem::invalid_fields(vec![FieldError {
        loc: vec!["email".to_owned()],
        msg: "field required".into(),
        kind: "value_error.missing",
    }])
}

/// What only this operation answers.
fn particular(operation_id: &str) -> Vec<Problem> {
    match operation_id {
        "register" => vec![
            Problem::email_taken(),
            Problem::weak_password(WeakPassword::TooShort),
            Problem::weak_password(WeakPassword::Common),
        ],
        "sign_up" => {
            vec![Problem::registration_failed(), Problem::weak_password(WeakPassword::TooShort)]
        }
        "verify_email" | "verify_email_by_link" => vec![Problem::invalid_verification_token()],
        "log_in" => vec![
            Problem::invalid_credentials(Contract::Json),
            Problem::invalid_credentials(Contract::Form),
            Problem::email_not_verified(),
            Problem::account_locked(HOUR),
        ],
        "log_in_with_firebase" => vec![
            Problem::not_found(),
            Problem::email_not_verified(),
            Problem::account_not_verified(),
            Problem::invalid_token(),
            Problem::identity_revoked(),
            Problem::user_gone_or_inactive(),
        ],
        "set_avatar" | "remove_avatar" | "list_purchases" => with_not_found(Problem::not_found()),
        "read_avatar" => with_not_found(Problem::no_picture()),
        "register_device" | "forget_device" => {
            let is_new = operation_id == "register_device";
            let absent = if is_new { Problem::not_found() } else { Problem::no_device() };
            let mut problems = with_not_found(absent);
            problems.push(Problem::bad_device_token(InvalidDeviceToken));
            problems
        }
        "claim_purchase" => {
            let mut problems = with_not_found(Problem::no_transaction());
            problems.extend([Problem::purchase_taken(), other_product()]);
            problems
        }
        "take_app_store_notification" => vec![Problem::not_found(), Problem::not_apples()],
        "refresh" => vec![Problem::refresh_refused()],
        "log_out" => vec![
            Problem::invalid_refresh_token(),
            Problem::not_authenticated(Contract::Form),
            Problem::invalid_token(),
            Problem::revoked(),
        ],
        "read_profile" | "change_profile" => vec![
            Problem::not_authenticated(Contract::Json),
            Problem::invalid_token(),
            Problem::user_gone_or_inactive(),
        ],
        "read_user" => vec![
            Problem::not_authenticated(Contract::Form),
            Problem::invalid_token(),
            Problem::revoked(),
            Problem::user_not_found(),
        ],
        "confirm_password_reset" => vec![
            Problem::invalid_reset_token(),
            Problem::weak_password(WeakPassword::TooShort),
            Problem::weak_password(WeakPassword::Personal),
        ],
        _ => Vec::new(),
    }
}

/// What every route with a padlock answers that needs a service, and a way not to
/// be there.
fn with_not_found(absent: Problem) -> Vec<Problem> {
    vec![
        absent,
        Problem::not_authenticated(Contract::Json),
        Problem::invalid_token(),
        Problem::user_gone_or_inactive(),
    ]
}

fn other_product() -> Problem {
    let product = |id| ProductId::parse(id).ok();
    let pair = product("pro.monthly").zip(product("pro.yearly"));
    let mismatch = pair.map(|(expected, actual)| ProductMismatch { expected, actual });
    mismatch.map_or_else(missing_field, |mismatch| Problem::other_product(&mismatch))
}

fn add(operation: &mut Operation, problems: Vec<Problem>) {
    let mut by_status: BTreeMap<u16, Vec<Problem>> = BTreeMap::new();
    for problem in problems {
        by_status.entry(problem.status.as_u16()).or_default().push(problem);
    }
    for (status, problems) in by_status {
        let reason = problems.first().and_then(|problem| problem.status.canonical_reason());
        let has_wait = problems.iter().any(|problem| problem.retry_after.is_some());
        let examples = problems.iter().map(|problem| (name(problem), example(problem)));
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .examples_from_iter(examples)
            .build();
        let mut response = ResponseBuilder::new()
            .description(reason.unwrap_or("Problem"))
            .content("application/json", content);
        if has_wait {
            let wait = HeaderBuilder::new()
                .description(Some("Seconds until it is worth trying again."))
                .schema(Some(Object::with_type(Type::Integer)));
            response = response.header("Retry-After", wait.build());
        }
        operation.responses.responses.insert(status.to_string(), RefOr::T(response.build()));
    }
}

fn body(problem: &Problem) -> Value {
    serde_json::to_value(problem.body(THEN)).unwrap_or_else(|_| json!({}))
}

/// Names an example after what it says: several problems share a code.
fn name(problem: &Problem) -> String {
    let body = body(problem);
    match &body["detail"] {
        Value::String(text) => text.clone(),
        detail => detail[0]["msg"].as_str().unwrap_or("invalid").to_owned(),
    }
}

fn example(problem: &Problem) -> RefOr<Example> {
    RefOr::T(ExampleBuilder::new().value(Some(body(problem))).build())
}
