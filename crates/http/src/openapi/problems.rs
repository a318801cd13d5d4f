//! Which problems each operation can answer with. The examples are the real
//! problems, rendered.

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_domain::{Contract, Timestamp, WeakPassword};
use serde_json::{Value, json};
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, OpenApi, Ref, RefOr};

use crate::problem::{FieldError, Problem};

/// The moment at which the examples happen.
const THEN: Timestamp = Timestamp::from_seconds(1_767_225_600);
const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

/// Adds every operation's problems.
pub(super) fn add_to(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.patch].into_iter().flatten();
        for operation in operations {
            let id = operation.operation_id.clone().unwrap_or_default();
            let mut problems = particular(&id);
            if operation.request_body.is_some() {
                problems.extend([Problem::too_large(), Problem::timed_out()]);
                problems.push(Problem::unsupported_media_type("application/json"));
                problems.push(Problem::not_json());
                problems.push(missing_field());
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
