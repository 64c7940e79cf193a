//! Each described parameter and member is read: a value that is none is refused by its name.

use serde_json::{Value, json};
use tests::token;

use super::document::{Operation, operations, operations_with, resolve};
use super::exchange::exchange;
use crate::access::world::{World, app};

/// Sends the operation's request with another query or body, which must be refused with 400; the name
/// of what is wrong.
async fn refused(operation: Operation, path: &str, body: Option<&Value>) -> String {
    let request = app().await.request(operation.route.method.clone(), path);
    let request = request.header("authorization", token::with_all_scopes());
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let found = exchange(operation, request).await;
    assert_eq!(found.status, 400, "{operation}: {path} {body:?}");
    found.json["errors"][0].to_string()
}

/// A path whose query has this parameter with this value, and no other value of it.
fn with_parameter(path: &str, name: &str, value: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let others = query
        .split('&')
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name));
    let all: Vec<String> = others
        .map(str::to_owned)
        .chain([format!("{name}={value}")])
        .collect();
    format!("{path}?{}", all.join("&"))
}

/// Values that a schema of a parameter excludes.
fn excluded(schema: &Value) -> Vec<String> {
    let mut values = vec![];
    if schema["type"] == "integer" || schema.get("pattern").is_some() {
        values.push("x".to_owned());
    }
    let bound = |name: &str, step: i64| Some((schema[name].as_i64()? + step).to_string());
    values.extend(bound("minimum", -1));
    values.extend(bound("maximum", 1));
    values
}

#[tokio::test]
async fn a_query_parameter_takes_no_value_that_its_schema_excludes() {
    let world = World::new(app().await).await;
    let mut tried = 0;
    for operation in operations() {
        let (path, body) = world.call(operation.route, world.owner);
        for parameter in operation
            .parameters()
            .filter(|parameter| parameter["in"] == "query")
        {
            let name = parameter["name"].as_str().expect("a name");
            for value in excluded(resolve(&parameter["schema"])) {
                let path = with_parameter(&path, name, &value);
                let error = refused(operation, &path, body.as_ref()).await;
                assert!(
                    error.contains(&format!("\"{name}\"")),
                    "{operation}: {error}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 20);
}

#[tokio::test]
async fn a_query_parameter_that_is_required_is_missed() {
    let world = World::new(app().await).await;
    for operation in operations() {
        let required = operation
            .parameters()
            .any(|parameter| parameter["in"] == "query" && parameter["required"] == true);
        if required {
            let (path, body) = world.call(operation.route, world.owner);
            let path = path.split('?').next().expect("a path");
            refused(operation, path, body.as_ref()).await;
        }
    }
}

#[tokio::test]
async fn a_path_takes_only_ids() {
    let world = World::new(app().await).await;
    for operation in operations_with(400) {
        let (_, body) = world.call(operation.route, world.owner);
        for parameter in operation
            .parameters()
            .filter(|parameter| parameter["in"] == "path")
        {
            let name = parameter["name"].as_str().expect("a name");
            let path = operation.route.path.replace(&format!(":{name}"), "0");
            let path = path.replace(":id", "1").replace(":userId", "1");
            let error = refused(operation, &path, body.as_ref()).await;
            assert!(
                error.contains(&format!("\"{name}\"")),
                "{operation}: {error}"
            );
        }
    }
}

#[tokio::test]
async fn an_idempotency_key_is_read_where_it_is_described() {
    let app = app().await;
    let world = World::new(app).await;
    for operation in operations() {
        let mut parameters = operation.parameters();
        if parameters.any(|parameter| parameter["name"] == "Idempotency-Key") {
            let request = world.request(app, operation.route, world.owner);
            let request = request.header("authorization", token::with_all_scopes());
            let found = exchange(operation, request.header("idempotency-key", "a key")).await;
            assert_eq!(found.status, 400, "{operation}");
        }
    }
}

#[tokio::test]
async fn a_member_of_a_body_has_its_type_and_is_missed_if_it_is_required() {
    let world = World::new(app().await).await;
    for operation in operations() {
        let Some(schema) = operation.body_schema() else {
            continue;
        };
        let (path, body) = world.call(operation.route, world.owner);
        let body = body.unwrap_or_else(|| json!({}));
        let required = schema["required"].as_array().expect("a list");
        for name in schema["properties"].as_object().expect("members").keys() {
            let mut wrong = body.clone();
            wrong[name] = json!({ "wrong": true });
            let error = refused(operation, &path, Some(&wrong)).await;
            assert!(error.contains(name.as_str()), "{operation}: {error}");
            if required.contains(&json!(name)) {
                wrong.as_object_mut().expect("an object").remove(name);
                let error = refused(operation, &path, Some(&wrong)).await;
                assert!(error.contains(name.as_str()), "{operation}: {error}");
            }
        }
    }
}
