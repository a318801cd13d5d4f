//! An example of every success, put together from the examples of its fields.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use utoipa::openapi::path::PathItem;
use utoipa::openapi::response::Response;
use utoipa::openapi::{OpenApi, RefOr};

/// Schemas by name, as plain JSON.
type Schemas = BTreeMap<String, Value>;

/// Gives an example to every response that has none.
pub(super) fn add_to(document: &mut OpenApi) {
    let schemas: Schemas = document
        .components
        .iter()
        .flat_map(|components| &components.schemas)
        .filter_map(|(name, schema)| Some((name.clone(), serde_json::to_value(schema).ok()?)))
        .collect();
    let operations = document.paths.paths.values_mut().flat_map(|item| {
        let PathItem { get, post, patch, put, delete, .. } = item;
        [get, post, patch, put, delete].into_iter().flatten()
    });
    for operation in operations {
        for response in operation.responses.responses.values_mut() {
            if let RefOr::T(response) = response {
                add(response, &schemas);
            }
        }
    }
}

fn add(response: &mut Response, schemas: &Schemas) {
    for content in response.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let has_example = content.example.is_some() || !content.examples.is_empty();
        let schema = content.schema.as_ref().and_then(|schema| serde_json::to_value(schema).ok());
        if let (false, Some(schema)) = (has_example, schema) {
            content.example = Some(example_of(&schema, schemas));
        }
    }
}

/// The example of a schema: its own, or one made of its parts'. Schemas here
/// do not refer to themselves.
fn example_of(schema: &Value, schemas: &Schemas) -> Value {
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return schemas.get(name).map_or(Value::Null, |schema| example_of(schema, schemas));
    }
    for alternatives in ["oneOf", "anyOf"] {
        if let Some(first) = schema[alternatives].as_array().and_then(|all| all.first()) {
            return example_of(first, schemas);
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let objects = parts.iter().map(|part| example_of(part, schemas));
        let fields = objects.filter_map(|object| object.as_object().cloned()).flatten();
        return Value::Object(fields.collect());
    }
    if let Some(properties) = schema["properties"].as_object() {
        // What a success need not have, such as `error`, it has not.
        let required = schema["required"].as_array();
        let is_required = |name: &str| {
            required.is_some_and(|names| names.iter().any(|required| required == name))
        };
        let fields = properties
            .iter()
            .filter(|(name, _)| is_required(name))
            .map(|(name, property)| (name.clone(), example_of(property, schemas)));
        return Value::Object(fields.collect::<Map<_, _>>());
    }
    match schema["format"].as_str() {
        Some("uuid") => "0199a5d0-7c5e-7b3f-9d2a-1f6a3c0b8e44".into(),
        _ => Value::Null,
    }
}
