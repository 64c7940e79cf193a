//! Records.
//!
//! - `policies`: what `PATCH` of a conversation changes, and who may change it.
//! - `revisions`: the texts before the present one.
//! - `holds`: nothing is erased while one stands.
//! - `retention`: what is older than its policy allows is erased.
//! - `audit`: who did what.
//! - `log`: all events in the order of their commits.

mod audit;
mod holds;
mod log;
mod policies;
mod retention;
mod revisions;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{App, Response, send, wait_for};
use tests::{Room, path_of};

/// The texts of a message's revisions, the present one first, as who keeps the records sees them.
async fn texts(app: &App, message: &Value) -> Vec<Value> {
    let path = format!("{}/revisions", path_of(message));
    let revisions = app.get(&path).await.expect_status(200).json();
    let texts = revisions.as_array().expect("an array").iter();
    texts.map(|revision| revision["content"].clone()).collect()
}

async fn set(app: &App, room: &Room, change: Value) -> Response {
    app.patch(&format!("/api/v1/conversations/{}", room.id), change)
        .await
}

async fn edit(app: &App, message: &Value, content: &str) {
    let body = json!({ "content": content, "senderId": message["senderId"] });
    app.patch(&path_of(message), body).await.expect_status(200);
}

async fn delete(app: &App, message: &Value) {
    app.delete(&path_of(message)).await.expect_status(204);
}

async fn hold(app: &App, room: &Room) -> i64 {
    let path = format!("/api/v1/conversations/{}/holds", room.id);
    let placed = app.post(&path, json!({ "reason": "Smith v. Jones" })).await;
    placed.expect_status(201).json()["id"]
        .as_i64()
        .expect("an id")
}

async fn release(app: &App, room: &Room, hold: i64) {
    let path = format!("/api/v1/conversations/{}/holds/{hold}", room.id);
    app.delete(&path).await.expect_status(204);
}

/// Makes the messages of a conversation older.
async fn age(app: &App, room: &Room, days: i32) {
    let age = "update messages set created_at = created_at - make_interval(days => $2)
        where conversation_id = $1";
    let postgres = app.postgres().await;
    postgres
        .execute(age, &[&room.id, &days])
        .await
        .expect("older messages");
}

async fn by(
    app: &App,
    method: reqwest::Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> Response {
    let request = app.request(method, path).header("authorization", token);
    send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

/// Polls until a condition holds.
async fn wait_until(what: &str, condition: impl AsyncFnMut() -> bool) {
    wait_for(what, Duration::from_secs(20), condition, |holds| *holds).await;
}
