//! Which key opens what, and what is shown of what does not open.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{App, unique_user, wait_for};
use tests::{Room, path_of};

use super::{contents, conversation, keys, titled, with_keys};
use crate::search::found;

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn what_has_no_key_any_more_is_null_and_hides_nothing_else() {
    let old = with_keys(&[("old", 1)]).own_stores().spawn().await;
    let room = titled(&old, "The file").await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let lost = room.say(&old, ann, "lost").await;
    let new = with_keys(&[("new", 2)]).same_stores_as(&old).spawn().await;
    let stream = format!("/api/v1/messages/users/{bob}/events");
    let mut stream = new.events(&stream).await;
    room.say(&new, ann, "readable").await;
    let event = stream.next_of("new-message").await.json();
    assert_eq!(event["message"]["content"], "readable");
    for _ in 0..3 {
        assert_eq!(
            contents(&new, &room).await,
            [Value::Null, json!("readable")]
        );
        let message = new.get(&path_of(&lost)).await.expect_status(200).json();
        assert_eq!(
            (&message["content"], &message["unreadable"]),
            (&Value::Null, &json!(true))
        );
        assert_eq!(
            (&message["senderId"], &message["ordinal"]),
            (&json!(ann), &json!(1))
        );
        let file = conversation(&new, &room).await;
        assert_eq!(
            (&file["title"], &file["unreadable"]),
            (&Value::Null, &json!(true))
        );
        assert_eq!(file["participantIds"], json!(room.users));
    }
    assert_eq!(found(&new, ann, "readable").await, ["readable"]);
    assert_eq!(found(&new, ann, "lost").await, [""; 0]);
    let changes = format!("/api/v1/messages/conversations/{}/changes", room.id);
    let changes = new.get(&changes).await.expect_status(200).json();
    assert_eq!(changes["changes"][1]["message"]["unreadable"], true);
    let line = "contents are unreadable: the key \"old\" is not in content_keys";
    let has_line = |log: &String| log.contains(line);
    let log = wait_for("the log has a line", LIMIT, async || new.log(), has_line).await;
    assert!(
        log.matches(line).count() <= 6,
        "once for each instance: {log}"
    );
    // It is edited as any other, and then it is readable.
    let path = format!("{}?userId={ann}", path_of(&lost));
    let edited = new.patch(&path, json!({ "content": "again" })).await;
    assert_eq!(edited.expect_status(200).json()["content"], "again");
    assert_eq!(contents(&new, &room).await, ["again", "readable"]);
    assert_eq!(contents(&old, &room).await, [Value::Null, Value::Null]);
}

#[tokio::test]
async fn what_was_sealed_is_null_where_no_key_is_left() {
    let sealed = with_keys(&[("one", 1)]).spawn().await;
    let room = titled(&sealed, "The file").await;
    room.say(&sealed, room.users[0], "lost").await;
    let plain = with_keys(&[]).same_stores_as(&sealed).spawn().await;
    room.say(&plain, room.users[0], "plain").await;
    assert_eq!(contents(&plain, &room).await, [Value::Null, json!("plain")]);
    assert_eq!(contents(&sealed, &room).await, ["lost", "plain"]);
    assert_eq!(conversation(&plain, &room).await["unreadable"], true);
}

#[tokio::test]
async fn a_content_that_was_moved_to_another_place_does_not_open() {
    let app = with_keys(&[("one", 1)]).spawn().await;
    let (one, two) = (titled(&app, "One").await, titled(&app, "Two").await);
    let from = one.say(&app, one.users[0], "of one").await;
    let to_conversation = two.say(&app, two.users[0], "of two").await;
    let to_sender = one.say(&app, one.users[1], "of the other").await;
    let same = one.say(&app, one.users[0], "of the same").await;
    let database = app.postgres().await;
    for to in [&to_conversation, &to_sender, &same] {
        let copy = format!(
            "update messages set content = (select content from messages where id = {}) where id = {}",
            from["id"], to["id"]
        );
        database.batch_execute(&copy).await.expect("a copy");
    }
    let copy = format!(
        "update conversations set title = (select title from conversations where id = {}) where id = {}",
        one.id, two.id
    );
    database.batch_execute(&copy).await.expect("a copy");
    dev_services::flush::flush_texts(app.redis_url())
        .await
        .expect("a flush");
    let read = async |message: &Value| app.get(&path_of(message)).await.expect_status(200).json();
    for moved in [&to_conversation, &to_sender] {
        assert_eq!(read(moved).await["unreadable"], true);
    }
    assert_eq!(read(&same).await["content"], "of one");
    assert_eq!(conversation(&app, &two).await["unreadable"], true);
    assert_eq!(conversation(&app, &one).await["title"], "One");
}

#[tokio::test]
async fn malformed_keys_are_refused_by_name_and_nothing_is_written() {
    let owner = testkit::app().await;
    let room = Room::new(owner, 1).await;
    let key = "c2hvcnQtYW5kLXNlY3JldA==";
    let list = json!([{ "id": "one", "key": key }]).to_string();
    let app = App::builder().same_stores_as(owner);
    let app = app.variable("content_keys", list).spawn().await;
    let user = room.users[0];
    room.post(&app, user, "not written")
        .await
        .expect_status(500);
    let body = json!({ "title": "not written", "participantIds": [unique_user()] });
    app.post("/api/v1/conversations", body)
        .await
        .expect_status(500);
    for path in [
        room.list(50),
        format!("/api/v1/conversations?userId={user}"),
        format!("/api/v1/messages/users/{user}/events"),
        format!("/api/v1/messages/conversations/{}/changes", room.id),
        format!("/api/v1/messages/search?userId={user}&q=a"),
    ] {
        app.get(&path).await.expect_status(500);
    }
    assert_eq!(contents(owner, &room).await, [Value::Null; 0]);
    let line = "the variable content_keys has a key, number 1, that is not 32 bytes in base64";
    let has_line = |log: &String| log.contains(line);
    let log = wait_for("the log has a line", LIMIT, async || app.log(), has_line).await;
    assert!(!log.contains(key) && !log.contains("not written"));
}

#[tokio::test]
async fn keys_are_in_no_log_and_no_response() {
    let list = keys(&[("one", 7)]);
    let app = App::builder().variable("content_keys", &list).spawn().await;
    let room = titled(&app, "The file").await;
    room.say(&app, room.users[0], "sealed").await;
    let secret = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    assert!(list.contains(secret));
    assert!(!app.log().contains(secret));
}
