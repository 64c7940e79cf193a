//! System messages.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, Response, app, send, unique_id};
use tests::{Room, path_of};

fn path(room: &Room) -> String {
    format!("/api/v1/messages/conversations/{}/system-message", room.id)
}

async fn announce(app: &App, room: &Room, content: &str) -> Response {
    app.post(&path(room), json!({ "content": content })).await
}

#[tokio::test]
async fn a_system_message_has_no_sender_and_its_place_among_the_others() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    room.say(app, room.users[0], "before").await;
    room.messages(app, 50).await;
    let answer = announce(app, &room, "The file was closed.")
        .await
        .expect_status(201);
    let message = answer.json();
    assert_eq!(answer.header("location"), Some(path_of(&message).as_str()));
    assert_eq!(message["kind"], "system");
    assert_eq!(message["senderId"], Value::Null);
    assert_eq!(message["ordinal"], 2);
    assert_eq!(message["content"], "The file was closed.");
    assert_eq!(room.messages(app, 50).await[1], message);
    assert_eq!(app.get(&path_of(&message)).await.json(), message);
}

#[tokio::test]
async fn a_system_message_is_unread_for_every_participant() {
    let app = app().await;
    let room = Room::new(app, 3).await;
    announce(app, &room, "to all").await.expect_status(201);
    for user in &room.users {
        let path = format!(
            "/api/v1/messages/users/{user}/unread-count?conversationId={}",
            room.id
        );
        assert_eq!(app.get(&path).await.json()["count"], 1);
    }
}

#[tokio::test]
async fn a_user_may_not_post_a_system_message() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let as_user = format!("{}?userId={}", path(&room), room.users[0]);
    app.post(&as_user, json!({ "content": "obey" }))
        .await
        .expect_status(403);
    assert!(room.messages(app, 50).await.is_empty());
}

#[tokio::test]
async fn errors_name_the_field() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for body in [
        json!({}),
        json!({ "content": 1 }),
        json!({ "content": null }),
    ] {
        app.post(&path(&room), &body).await.expect_status(400);
    }
    for content in [" \n", &"x".repeat(16_385), "\u{0}"] {
        let problem = announce(app, &room, content)
            .await
            .expect_status(422)
            .json();
        assert_eq!(problem["errors"][0]["field"], "content");
    }
    let nowhere = Room {
        id: unique_id(),
        users: vec![],
    };
    announce(app, &nowhere, "hello").await.expect_status(404);
    let text = app.request(Method::POST, &path(&room)).body("hello");
    send(text).await.expect_status(415);
    announce(app, &room, &"x".repeat(200_000))
        .await
        .expect_status(413);
    let bad_id = "/api/v1/messages/conversations/x/system-message";
    app.post(bad_id, json!({ "content": "hello" }))
        .await
        .expect_status(400);
    let answer = app.get(&path(&room)).await.expect_status(405);
    assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
    assert!(room.messages(app, 50).await.is_empty());
}

#[tokio::test]
async fn system_messages_work_without_redis_and_not_without_postgres() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    app.stop_redis().await;
    announce(&app, &room, "still here").await.expect_status(201);
    app.start_redis().await;
    assert_eq!(room.messages(&app, 50).await.len(), 1);
    app.stop_postgres().await;
    let answer = announce(&app, &room, "lost").await.expect_status(503);
    assert!(answer.header("retry-after").is_some());
}
