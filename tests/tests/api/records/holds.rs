//! Nothing is erased while a hold stands.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::app;
use tests::{Room, token};

use super::{age, by, delete, edit, hold, release, set, texts};
use crate::access::world;

#[tokio::test]
async fn a_hold_is_listed_until_it_is_released() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let path = format!("/api/v1/conversations/{}/holds", room.id);
    let placed = app.post(&path, json!({ "reason": "Smith v. Jones" })).await;
    let placed = placed.expect_status(201).json();
    assert_eq!(placed["reason"], "Smith v. Jones");
    assert_eq!(placed["placedBy"], "service");
    let second = hold(app, &room).await;
    assert_eq!(app.get(&path).await.json()[0], placed);
    release(app, &room, placed["id"].as_i64().expect("an id")).await;
    release(app, &room, placed["id"].as_i64().expect("an id")).await;
    let left = app.get(&path).await.expect_status(200).json();
    assert_eq!(left.as_array().map(Vec::len), Some(1));
    assert_eq!(left[0]["id"], second);
    app.delete(&format!("{path}/9007199254740991"))
        .await
        .expect_status(404);
    app.post(&path, json!({ "reason": " " }))
        .await
        .expect_status(422);
    app.post(
        "/api/v1/conversations/9007199254740991/holds",
        json!({ "reason": "x" }),
    )
    .await
    .expect_status(404);
}

#[tokio::test]
async fn while_a_hold_stands_nothing_is_erased_and_afterwards_the_policy_applies() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    set(
        app,
        &room,
        json!({ "revisions": "erase", "retentionDays": 1 }),
    )
    .await
    .expect_status(200);
    let (edited, deleted, old) = (
        room.say(app, room.users[0], "one").await,
        room.say(app, room.users[0], "two").await,
        room.say(app, room.users[1], "three").await,
    );
    let (first, second) = (hold(app, &room).await, hold(app, &room).await);
    edit(app, &edited, "one again").await;
    delete(app, &deleted).await;
    age(app, &room, 2).await;
    app.post("/api/v1/records/retention", json!({}))
        .await
        .expect_status(200);
    release(app, &room, first).await;
    app.post("/api/v1/records/retention", json!({}))
        .await
        .expect_status(200);
    assert_eq!(texts(app, &edited).await, ["one again", "one"]);
    assert_eq!(texts(app, &deleted).await, [Value::Null, "two".into()]);
    assert_eq!(texts(app, &old).await, ["three"]);
    let seen = app
        .get(&tests::path_of(&deleted))
        .await
        .expect_status(200)
        .json();
    assert_eq!(seen["content"], Value::Null);

    release(app, &room, second).await;
    assert_eq!(texts(app, &edited).await, ["one again"]);
    assert_eq!(texts(app, &deleted).await, [Value::Null]);
}

/// A hold and a deletion at once: whichever comes first, the text is there if the hold is.
#[tokio::test]
async fn a_deletion_that_races_a_hold_is_decided_under_the_lock() {
    let app = app().await;
    for _ in 0..8 {
        let room = Room::new(app, 2).await;
        set(app, &room, json!({ "revisions": "erase" }))
            .await
            .expect_status(200);
        let message = room.say(app, room.users[0], "one").await;
        let ((), hold) = futures::join!(delete(app, &message), hold(app, &room));
        let kept = texts(app, &message).await.len() == 2;
        let postgres = app.postgres().await;
        // In milliseconds; two in the same one may have come in either order.
        let order = "
            select nullif(h.placed_at, m.deleted_at) is null, h.placed_at < m.deleted_at
            from holds h, messages m where h.id = $1 and m.id = $2";
        let row = postgres
            .query_one(order, &[&hold, &message["id"].as_i64()])
            .await
            .expect("a row");
        let (is_unclear, held_first): (bool, bool) = (row.get(0), row.get(1));
        assert!(is_unclear || kept == held_first);
    }
}

#[tokio::test]
async fn holds_are_for_those_who_keep_the_records() {
    let app = world::app().await;
    let world = world::World::new(app).await;
    let path = format!("/api/v1/conversations/{}/holds", world.conversation);
    let body = json!({ "reason": "Smith v. Jones" });
    for token in [token::user(world.owner), token::service()] {
        by(app, Method::POST, &path, &token, Some(body.clone()))
            .await
            .expect_status(403);
        by(app, Method::GET, &path, &token, None)
            .await
            .expect_status(403);
    }
    let records = token::with_scope("an officer", "messaging:records");
    let placed = by(app, Method::POST, &path, &records, Some(body))
        .await
        .expect_status(201)
        .json();
    assert_eq!(placed["placedBy"], "service:an officer");
    // Whoever writes there does not learn of it.
    let conversation = format!("/api/v1/conversations/{}", world.conversation);
    let seen = by(
        app,
        Method::GET,
        &conversation,
        &token::user(world.owner),
        None,
    )
    .await;
    assert!(!seen.expect_status(200).json().to_string().contains("hold"));
}
