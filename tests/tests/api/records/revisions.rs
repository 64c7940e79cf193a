//! The texts before the present one.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{app, unique_user};
use tests::{Room, path_of, token};

use super::{by, delete, edit, texts};
use crate::access::world;

#[tokio::test]
async fn a_message_has_all_its_texts_with_their_times_and_authors() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let message = room.say(app, room.users[0], "one").await;
    let path = format!("{}/revisions", path_of(&message));
    let first = app.get(&path).await.expect_status(200).json();
    let author = room.users[0];
    assert_eq!(
        first,
        json!([{ "revision": 1, "content": "one", "at": message["createdAt"], "by": author }])
    );
    edit(app, &message, "two").await;
    edit(app, &message, "three").await;
    let all = app.get(&path).await.expect_status(200).json();
    let edited = app.get(&path_of(&message)).await.json();
    let numbers: Vec<&Value> = all
        .as_array()
        .expect("an array")
        .iter()
        .map(|one| &one["revision"])
        .collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(all[0]["content"], "three");
    assert_eq!(all[0]["at"], edited["editedAt"]);
    assert_eq!(all[2], first[0]);
    assert!(
        all.as_array()
            .expect("an array")
            .iter()
            .all(|one| one["by"] == author)
    );
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_no_revision() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let message = room.say(app, room.users[0], "one").await;
    edit(app, &message, "one").await;
    assert_eq!(texts(app, &message).await, ["one"]);
}

#[tokio::test]
async fn of_a_deleted_message_only_the_records_have_the_texts() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let message = room.say(app, room.users[0], "one").await;
    edit(app, &message, "two").await;
    delete(app, &message).await;
    assert_eq!(
        texts(app, &message).await,
        [Value::Null, "two".into(), "one".into()]
    );
    let path = format!("{}/revisions?userId={}", path_of(&message), room.users[0]);
    let seen = app.get(&path).await.expect_status(200).json();
    assert_eq!(seen.as_array().map(Vec::len), Some(1));
    assert_eq!(seen[0]["content"], Value::Null);
}

#[tokio::test]
async fn revisions_are_for_participants_and_the_records() {
    let app = world::app().await;
    let world = world::World::new(app).await;
    let path = format!("/api/v1/messages/{}/revisions", world.message);
    for (token, status) in [
        (token::user(world.other), 200),
        (token::user(world.outsider), 404),
        (token::with_scope("an officer", "messaging:records"), 200),
        (
            token::with_scope(&unique_user().to_string(), "messaging:records"),
            200,
        ),
    ] {
        by(app, Method::GET, &path, &token, None)
            .await
            .expect_status(status);
    }
    let missing = "/api/v1/messages/9007199254740991/revisions";
    by(app, Method::GET, missing, &token::service(), None)
        .await
        .expect_status(404);
}
