//! Each described response is provoked, for each operation that describes it.

use std::collections::BTreeSet;

use messaging::api::Access;
use messaging::ids::MAX_ID;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::{App, send, unique_user};
use tests::{Room, token};

use super::document::{Operation, document, faults, operations, operations_with};
use super::exchange::{Exchange, exchange, exchange_as};
use crate::access::world::{World, app};

/// What these tests provoke; a described status is here or in [`UNPROVOKED`].
const PROVOKED: [u16; 16] = [
    200, 201, 204, 304, 400, 401, 403, 404, 409, 413, 415, 422, 426, 429, 501, 503,
];
/// A socket (`gateway`), a body that takes longer than 8 s (`hostile/hangs.rs`), a mistake of the service,
/// and what an endpoint of the assistant does wrong (`assistant`).
const UNPROVOKED: [u16; 5] = [101, 408, 500, 502, 504];

#[test]
fn every_described_status_is_provoked() {
    let described: BTreeSet<u16> = operations()
        .flat_map(|operation| operation.statuses().collect::<Vec<_>>())
        .collect();
    let known: BTreeSet<u16> = PROVOKED.into_iter().chain(UNPROVOKED).collect();
    assert_eq!(described, known);
}

/// A world of which nothing exists.
fn nowhere() -> World {
    World {
        conversation: MAX_ID,
        message: MAX_ID,
        session: MAX_ID,
        hold: MAX_ID,
        owner: unique_user(),
        other: unique_user(),
        outsider: unique_user(),
        webhook: MAX_ID,
    }
}

/// A request for what the operation is for, with another body or path.
fn request(
    app: &App,
    operation: Operation,
    (path, body): &(String, Option<Value>),
) -> RequestBuilder {
    let request = app.request(operation.route.method.clone(), path);
    match body {
        Some(body) => request.json(body),
        None => request,
    }
}

async fn by_service(app: &App, operation: Operation, call: &(String, Option<Value>)) -> Exchange {
    let request = request(app, operation, call);
    exchange(
        operation,
        request.header("authorization", token::with_all_scopes()),
    )
    .await
}

fn with_query(path: &str, query: &str) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}{query}")
}

fn has_member(operation: Operation, name: &str) -> bool {
    let schema = operation.body_schema();
    schema.is_some_and(|schema| schema["properties"].get(name).is_some())
}

fn takes_idempotency_key(operation: Operation) -> bool {
    let mut parameters = operation.parameters();
    parameters.any(|parameter| parameter["name"] == "Idempotency-Key")
}

#[tokio::test]
async fn a_request_that_is_as_described_gets_a_response_that_is_too() {
    let app = app().await;
    let succeeds =
        |operation: &Operation| [200, 201, 204].map(|status| operation.describes(status));
    let for_clients = |operation: &Operation| operation.route.access != Access::Proxy;
    for operation in operations().filter(for_clients) {
        if !succeeds(&operation).contains(&true) || operation.describes(501) {
            continue;
        }
        let world = World::signed_in(app).await;
        let call = world.call(operation.route, world.owner);
        if let (Some(schema), Some(body)) = (operation.body_schema(), &call.1) {
            assert_eq!(faults(schema, body), [""; 0], "{operation}");
        }
        let found = by_service(app, operation, &call).await;
        assert!((200..300).contains(&found.status), "{operation}");
    }
}

#[tokio::test]
async fn what_is_not_set_up_is_501() {
    let app = app().await;
    for operation in operations_with(501) {
        let world = World::new(app).await;
        let call = world.call(operation.route, world.owner);
        let found = by_service(app, operation, &call).await;
        assert_eq!(found.status, 501, "{operation}");
    }
}

#[tokio::test]
async fn what_an_earlier_request_made_is_200() {
    let app = app().await;
    for operation in operations_with(201).filter(|operation| operation.describes(200)) {
        let world = World::new(app).await;
        let (path, body) = world.call(operation.route, world.owner);
        let (call, token) = (
            (path, body.map(|body| keyed(operation, body))),
            token::with_all_scopes(),
        );
        for status in [201, 200] {
            let request = request(app, operation, &call).header("authorization", &token);
            let request = request.header("idempotency-key", "a-key");
            let found = exchange(operation, request).await;
            assert_eq!(found.status, status, "{operation}");
        }
    }
}

/// The body with a key, if that belongs there.
fn keyed(operation: Operation, mut body: Value) -> Value {
    if has_member(operation, "clientMessageId") {
        body["clientMessageId"] = "a-key".into();
    }
    body
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let app = app().await;
    for operation in operations_with(304) {
        let call = nowhere().call(operation.route, 1);
        let first = exchange(operation, request(app, operation, &call)).await;
        let again = request(app, operation, &call).header("if-none-match", &first.headers["etag"]);
        assert_eq!(exchange(operation, again).await.status, 304, "{operation}");
    }
}

#[tokio::test]
async fn a_malformed_request_is_400() {
    let app = app().await;
    for operation in operations_with(400) {
        let (path, body) = nowhere().call(operation.route, 1);
        let call = (with_query(&path, "twice=1&twice=1"), body);
        let found = by_service(app, operation, &call).await;
        assert_eq!(found.status, 400, "{operation}");
        assert_eq!(found.json["errors"][0]["field"], "twice");
    }
}

#[tokio::test]
async fn a_request_without_an_identity_is_401() {
    let app = app().await;
    for operation in operations_with(401) {
        let call = nowhere().call(operation.route, 1);
        let found = exchange(operation, request(app, operation, &call)).await;
        assert_eq!(found.status, 401, "{operation}");
    }
}

#[tokio::test]
async fn a_request_from_elsewhere_is_403_in_open_mode() {
    let app = testkit::app().await;
    for operation in operations_with(403) {
        let call = nowhere().call(operation.route, 1);
        let request = request(app, operation, &call).header("host", "chat.example");
        assert_eq!(
            exchange(operation, request).await.status,
            403,
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_scope_that_is_missing_is_403_with_a_challenge() {
    let app = app().await;
    let services = operations_with(403)
        .filter(|operation| operation.get("security")[0]["bearer"][0].is_string());
    for operation in services {
        let call = nowhere().call(operation.route, 1);
        let request = request(app, operation, &call).header("authorization", token::user(1));
        let found = exchange(operation, request).await;
        assert_eq!(found.status, 403, "{operation}");
        assert!(
            found.headers.contains_key("www-authenticate"),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn what_does_not_exist_is_404() {
    let app = app().await;
    for operation in operations_with(404) {
        let world = nowhere();
        let (mut path, body) = world.call(operation.route, world.owner);
        path = path.replace("app.css", "no-such-file.css");
        if path.ends_with("/unread-count") || path.contains("/messages/search?") {
            path = with_query(&path, &format!("conversationId={MAX_ID}"));
        }
        let found = by_service(app, operation, &(path, body)).await;
        assert_eq!(found.status, 404, "{operation}");
    }
}

#[tokio::test]
async fn another_method_is_405() {
    let described = &document()["components"]["responses"]["MethodNotAllowed"];
    let app = app().await;
    for operation in operations() {
        let path = nowhere().call(operation.route, 1).0;
        let request = app.request(Method::TRACE, &path);
        let request = request.header("authorization", token::with_all_scopes());
        let found = exchange_as(&operation.to_string(), |_| described, request).await;
        assert_eq!(found.status, 405, "{operation}");
    }
}

#[tokio::test]
async fn a_socket_past_the_gateway_is_426() {
    let app = token::closed()
        .variable("grip_url", "http://127.0.0.1:1")
        .variable("grip_key", "a key that only this test has, of 32 bytes")
        .spawn()
        .await;
    for operation in operations_with(426) {
        let call = nowhere().call(operation.route, 1);
        let found = by_service(&app, operation, &call).await;
        assert_eq!(found.status, 426, "{operation}");
    }
}

#[tokio::test]
async fn a_key_that_was_used_for_something_else_is_409() {
    let app = app().await;
    let keyed_operations = operations_with(409).filter(|operation| {
        takes_idempotency_key(*operation) || has_member(*operation, "clientMessageId")
    });
    for operation in keyed_operations {
        let world = World::new(app).await;
        let (path, body) = world.call(operation.route, world.owner);
        let body = keyed(operation, body.expect("a body"));
        let mut other = body.clone();
        match other.get_mut("content") {
            Some(content) => *content = "something else".into(),
            None => other["participantIds"] = json!([world.owner]),
        }
        let token = token::with_all_scopes();
        for (body, status) in [(body, 201), (other, 409)] {
            let request = request(app, operation, &(path.clone(), Some(body)));
            let request = request.header("authorization", &token);
            let request = request.header("idempotency-key", "a-key");
            let found = exchange(operation, request).await;
            assert_eq!(found.status, status, "{operation}");
        }
    }
}

#[tokio::test]
async fn an_edit_of_a_deleted_message_is_409() {
    let app = app().await;
    let edits = operations_with(409).filter(|operation| operation.route.method == Method::PATCH);
    for operation in edits {
        let world = World::new(app).await;
        let call = world.call(operation.route, world.owner);
        let delete = app.request(Method::DELETE, &call.0);
        send(delete.header("authorization", token::with_all_scopes()))
            .await
            .expect_status(204);
        let found = by_service(app, operation, &call).await;
        assert_eq!(found.status, 409, "{operation}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_not_json_is_refused() {
    let app = app().await;
    for operation in operations_with(413) {
        let path = nowhere().call(operation.route, 1).0;
        for (content_type, length, status) in
            [("application/json", 1 << 20, 413), ("text/plain", 10, 415)]
        {
            let request = app.request(operation.route.method.clone(), &path);
            let request = request
                .header("authorization", token::with_all_scopes())
                .header("content-type", content_type)
                .body("x".repeat(length));
            let found = exchange(operation, request).await;
            assert_eq!(found.status, status, "{operation}");
        }
    }
}

#[tokio::test]
async fn a_value_that_is_not_valid_is_422() {
    let app = app().await;
    for operation in operations_with(422) {
        let world = World::new(app).await;
        let (mut path, body) = world.call(operation.route, world.owner);
        let mut body = body.unwrap_or_else(|| json!({}));
        if has_member(operation, "content") {
            body["content"] = " ".into();
        } else if has_member(operation, "participantIds") {
            body["participantIds"] = json!([]);
        } else if has_member(operation, "deviceId") {
            body["deviceId"] = "".into();
        } else if has_member(operation, "reason") {
            body["reason"] = " ".into();
        } else if has_member(operation, "retentionDays") {
            body["retentionDays"] = 40_000.into();
        } else if has_member(operation, "task") {
            body["task"] = "sing".into();
        } else if has_member(operation, "device") {
            body["device"] = "".into();
        } else if has_member(operation, "tokensIssuedBefore") {
            body["tokensIssuedBefore"] = "2999-01-01T00:00:00Z".into();
        } else if has_member(operation, "url") {
            body["url"] = "https://127.0.0.1/".into();
        } else if has_member(operation, "after") {
            body["after"] = "yesterday".into();
        } else if path.ends_with("/analytics/messages") {
            path = with_query(&path, "to=1970-01-01T00:00:00Z&from=1970-01-02T00:00:00Z");
        } else {
            path = path.replace(
                &world.conversation.to_string(),
                &full(app).await.to_string(),
            );
        }
        let found = by_service(app, operation, &(path, Some(body))).await;
        assert_eq!(found.status, 422, "{operation}");
    }
}

/// A conversation with as many participants as one may have.
async fn full(app: &App) -> i64 {
    let users: Vec<i64> = (0..500).map(|_| unique_user()).collect();
    let request = app.request(Method::POST, "/api/v1/conversations");
    let request = request.json(&json!({ "participantIds": users }));
    let created = send(request.header("authorization", token::with_all_scopes())).await;
    let created = created.expect_status(201).json();
    created["id"].as_i64().expect("an id")
}

#[tokio::test]
async fn a_caller_over_the_rate_gets_429() {
    let app = token::closed().variable("rate_limit", 1).spawn().await;
    for operation in operations_with(429) {
        let token = token::with_all_scopes();
        let first = app.request(Method::GET, "/api/v1/messages/users/online");
        let first = send(first.header("authorization", &token)).await;
        first.expect_status(200);
        let call = nowhere().call(operation.route, 1);
        let request = request(&app, operation, &call).header("authorization", &token);
        let found = exchange(operation, request).await;
        assert_eq!(found.status, 429, "{operation}");
        assert!(found.headers.contains_key("ratelimit-reset"), "{operation}");
    }
}

/// Operations that go on without a store.
const WITHOUT_STORES: [&str; 6] = [
    "getMetrics",
    "getPostgresHealth",
    "getRedisHealth",
    "openSocket",
    "signOut",
    "streamUser",
];

#[tokio::test]
async fn without_redis_and_postgresql_a_request_is_503() {
    let app = App::builder()
        .own_stores()
        .variable("redis_retry_attempts", 0)
        .spawn()
        .await;
    let room = Room::new(&app, 2).await;
    let message = room.say(&app, room.users[0], "Hi").await;
    let world = World {
        conversation: room.id,
        message: message["id"].as_i64().expect("an id"),
        ..nowhere()
    };
    app.stop_redis().await;
    app.stop_postgres().await;
    for operation in operations_with(503) {
        let mut call = world.call(operation.route, room.users[0]);
        if let Some(body) = call.1.as_mut().filter(|_| has_member(operation, "device")) {
            body["userId"] = room.users[0].into();
        }
        let found = exchange(operation, request(&app, operation, &call)).await;
        let id = operation.get("operationId").as_str().expect("an id");
        if !WITHOUT_STORES.contains(&id) {
            assert_eq!(found.status, 503, "{operation}");
        }
    }
}
