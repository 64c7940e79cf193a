//! What `PATCH` of a conversation changes, and who may change it.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{app, unique_user};
use tests::{Room, token};

use super::{by, edit, set, texts};
use crate::access::world;

#[tokio::test]
async fn what_a_change_names_is_changed_and_the_rest_stays() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let path = format!("/api/v1/conversations/{}", room.id);
    let before = app.get(&path).await.expect_status(200).json();
    assert_eq!(before["revisions"], "keep");
    assert_eq!(before["retentionDays"], Value::Null);
    assert_eq!(before["assistant"], false);

    let change =
        json!({ "title": "Smith", "retentionDays": 30, "revisions": "erase", "assistant": true });
    let changed = set(app, &room, change).await.expect_status(200).json();
    assert_eq!(changed["title"], "Smith");
    assert_eq!(changed["retentionDays"], 30);
    assert_eq!(changed["revisions"], "erase");
    assert_eq!(changed["assistant"], true);
    assert_eq!(changed["participantIds"], json!(room.users));
    assert_eq!(app.get(&path).await.json(), changed);

    let change = json!({ "retentionDays": null, "title": null });
    let changed = set(app, &room, change).await.expect_status(200).json();
    assert_eq!(changed["retentionDays"], Value::Null);
    assert_eq!(changed["title"], Value::Null);
    assert_eq!(changed["revisions"], "erase");
}

#[tokio::test]
async fn a_change_is_one_event_and_none_if_nothing_changes() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let mut feed = app
        .events(&format!("/api/v1/messages/users/{}/events", room.users[0]))
        .await;
    set(app, &room, json!({ "title": "Smith" }))
        .await
        .expect_status(200);
    set(app, &room, json!({ "title": "Smith" }))
        .await
        .expect_status(200);
    set(app, &room, json!({})).await.expect_status(200);
    set(app, &room, json!({ "title": "Jones" }))
        .await
        .expect_status(200);
    for seq in [2, 3] {
        let event = feed.next_of("conversation-changed").await.json();
        assert_eq!(event["conversationId"], room.id);
        assert_eq!(event["seq"], seq);
    }
    let changes = format!("/api/v1/messages/conversations/{}/changes", room.id);
    let changes = app.get(&changes).await.expect_status(200).json();
    assert_eq!(changes["changes"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn what_is_no_policy_is_refused() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for (change, status, field) in [
        (json!({ "retentionDays": -1 }), 422, "retentionDays"),
        (json!({ "retentionDays": 36_501 }), 422, "retentionDays"),
        (json!({ "retentionDays": "1" }), 400, "retentionDays"),
        (json!({ "revisions": "some" }), 422, "revisions"),
        (json!({ "revisions": true }), 400, "revisions"),
        (json!({ "assistant": 1 }), 400, "assistant"),
        (json!({ "title": "a\nb" }), 422, "title"),
    ] {
        let refused = set(app, &room, change).await.expect_status(status).json();
        assert_eq!(refused["errors"][0]["field"], field);
    }
    let missing = app
        .patch("/api/v1/conversations/9007199254740991", json!({}))
        .await;
    missing.expect_status(404);
}

#[tokio::test]
async fn policies_are_for_those_who_keep_the_records() {
    let app = world::app().await;
    let world = world::World::new(app).await;
    let path = format!("/api/v1/conversations/{}", world.conversation);
    let (user, outsider) = (token::user(world.owner), token::user(world.outsider));
    let records = token::with_scope("an officer", "messaging:records");
    let user_with_records = token::with_scope(&unique_user().to_string(), "messaging:records");
    let title = json!({ "title": "Smith" });
    let policy = json!({ "revisions": "erase" });
    for (token, change, status) in [
        (&user, &title, 200),
        (&outsider, &title, 404),
        (&token::service(), &title, 200),
        (&user, &policy, 403),
        (&token::service(), &policy, 403),
        (&records, &policy, 200),
        (&user_with_records, &policy, 200),
    ] {
        let response = by(app, Method::PATCH, &path, token, Some(change.clone())).await;
        response.expect_status(status);
    }
    // The scope is enough for the records, and for nothing else.
    for (method, path) in [
        (
            Method::GET,
            format!("/api/v1/messages?conversationId={}", world.conversation),
        ),
        (Method::GET, path.clone()),
        (Method::GET, "/api/v1/messages/users/online".to_owned()),
        (Method::POST, "/api/v1/sessions".to_owned()),
        (Method::GET, "/api/v1/health".to_owned()),
    ] {
        by(app, method, &path, &records, None)
            .await
            .expect_status(403);
    }
}

#[tokio::test]
async fn who_changes_to_erase_erases_what_was_kept() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let message = room.say(app, room.users[0], "one").await;
    edit(app, &message, "two").await;
    assert_eq!(texts(app, &message).await, ["two", "one"]);
    set(app, &room, json!({ "revisions": "erase" }))
        .await
        .expect_status(200);
    assert_eq!(texts(app, &message).await, ["two"]);
    edit(app, &message, "three").await;
    assert_eq!(texts(app, &message).await, ["three"]);
    set(app, &room, json!({ "revisions": "keep" }))
        .await
        .expect_status(200);
    edit(app, &message, "four").await;
    assert_eq!(texts(app, &message).await, ["four", "three"]);
}
