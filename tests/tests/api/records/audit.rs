//! Who did what.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, app, send, unique_user};
use tests::{Room, token};

use super::{by, hold, release, set, wait_until};
use crate::access::world;

/// The entries about a conversation, the oldest first, as soon as there are so many.
async fn entries(app: &App, room: &Room, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    wait_until("the entries", async || {
        found = about(app, room).await;
        found.len() >= count
    })
    .await;
    found
}

async fn about(app: &App, room: &Room) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/records/audit?after={after}&limit=100");
        let page = app.get(&path).await.expect_status(200).json();
        let entries = page["entries"].as_array().expect("an array").clone();
        if entries.is_empty() {
            return found;
        }
        after = page["next"].as_i64().expect("a number");
        assert_eq!(entries.last().expect("an entry")["id"], after);
        let subject = format!("conversation:{}", room.id);
        found.extend(
            entries
                .into_iter()
                .filter(|entry| entry["subject"] == subject),
        );
    }
}

#[tokio::test]
async fn privileged_acts_are_in_the_trail_with_who_did_them() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let newcomer = unique_user();
    let path = format!("/api/v1/conversations/{}/participants", room.id);
    let join = app.request(Method::POST, &format!("{path}?userId={}", room.users[0]));
    let join = join
        .json(&json!({ "userId": newcomer }))
        .header("x-request-id", "a-join");
    send(join).await.expect_status(201);
    // Nothing happened a second time.
    app.post(&path, json!({ "userId": newcomer }))
        .await
        .expect_status(200);
    app.delete(&format!("{path}/{newcomer}"))
        .await
        .expect_status(204);
    let placed = hold(app, &room).await;
    set(
        app,
        &room,
        json!({ "retentionDays": 9, "title": "A secret title" }),
    )
    .await
    .expect_status(200);
    set(app, &room, json!({ "title": "Another" }))
        .await
        .expect_status(200);
    release(app, &room, placed).await;

    let entries = entries(app, &room, 5).await;
    let actions: Vec<&Value> = entries.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(
        actions,
        [
            "participant-added",
            "participant-removed",
            "hold-placed",
            "policy-changed",
            "hold-released"
        ]
    );
    let join = &entries[0];
    assert_eq!(join["actor"], format!("user:{}", room.users[0]));
    assert_eq!(join["requestId"], "a-join");
    assert_eq!(join["detail"], json!({ "userId": newcomer }));
    assert_eq!(entries[1]["actor"], format!("user:{newcomer}"));
    assert_eq!(entries[2]["actor"], "service");
    assert_eq!(entries[2]["detail"]["reason"], "Smith v. Jones");
    assert_eq!(entries[3]["detail"]["retentionDays"], 9);
    let text = serde_json::to_string(&entries).expect("JSON");
    assert!(!text.contains("secret title"));
}

#[tokio::test]
async fn the_trail_is_append_only() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    hold(app, &room).await;
    let postgres = app.postgres().await;
    for statement in [
        "delete from audit",
        "update audit set actor = 'someone else'",
        "truncate audit",
    ] {
        let refused = postgres
            .batch_execute(statement)
            .await
            .expect_err(statement);
        let refused = refused
            .as_db_error()
            .expect("an error of the database")
            .message();
        assert_eq!(refused, "the audit trail is append-only", "{statement}");
    }
    // The application's role has no right to try.
    let rights = "
        select has_table_privilege('lexiflow_app', 'audit', 'insert, select'),
            has_table_privilege('lexiflow_app', 'audit', 'update'),
            has_table_privilege('lexiflow_app', 'audit', 'delete'),
            has_table_privilege('lexiflow_app', 'audit', 'truncate'),
            has_table_privilege('lexiflow_app', 'messages', 'insert, select, update, delete')";
    let row = postgres.query_one(rights, &[]).await.expect("rights");
    let rights: Vec<bool> = (0..5).map(|at| row.get(at)).collect();
    assert_eq!(rights, [true, false, false, false, true]);
}

#[tokio::test]
async fn an_entry_whose_transaction_is_open_is_not_passed_over() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let mut early = app.postgres().await;
    let open = early.transaction().await.expect("a transaction");
    let write = format!(
        "select write_audit('a', 'r', 'early', 'conversation:{}', '{{}}')",
        room.id
    );
    open.query(&write, &[]).await.expect("an entry");
    hold(app, &room).await;
    // The later one is held back, so that no reader goes past the earlier one.
    assert_eq!(about(app, &room).await, [Value::Null; 0]);
    open.commit().await.expect("a commit");
    let entries = entries(app, &room, 2).await;
    let actions: Vec<&Value> = entries.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["early", "hold-placed"]);
}

#[tokio::test]
async fn the_trail_is_for_those_who_keep_the_records() {
    let app = world::app().await;
    let path = "/api/v1/records/audit";
    for (token, status) in [
        (token::user(unique_user()), 403),
        (token::service(), 403),
        (token::with_scope("an officer", "messaging:records"), 200),
    ] {
        by(app, Method::GET, path, &token, None)
            .await
            .expect_status(status);
        by(app, Method::POST, "/api/v1/records/retention", &token, None)
            .await
            .expect_status(status);
    }
    let records = token::with_scope("an officer", "messaging:records");
    let unknown = format!("{path}?after=9007199254740991");
    by(app, Method::GET, &unknown, &records, None)
        .await
        .expect_status(400);
}
