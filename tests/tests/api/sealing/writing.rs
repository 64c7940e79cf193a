//! Changes of what is sealed: limits, repetitions, and texts that look sealed.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, send, unique_user};
use tests::{Room, path_of};

use super::{contents, titled, with_keys};
use crate::search::ask;

async fn post_as(app: &App, room: &Room, content: &str, key: &str) -> testkit::Response {
    let body = json!({
        "conversationId": room.id, "senderId": room.users[0], "content": content, "clientMessageId": key,
    });
    app.post("/api/v1/messages", body).await
}

async fn newest_seq(app: &App, room: &Room) -> i64 {
    let path = format!("/api/v1/messages/conversations/{}/changes", room.id);
    let changes = app.get(&path).await.expect_status(200).json();
    changes["next"].as_i64().expect("a seq")
}

#[tokio::test]
async fn the_limit_of_a_content_is_that_of_its_clear_text() {
    let app = with_keys(&[("one", 1)]).spawn().await;
    let room = titled(&app, &"ä".repeat(200)).await;
    let longest = "x".repeat(16_384);
    room.post(&app, room.users[0], &longest)
        .await
        .expect_status(201);
    room.post(&app, room.users[0], &(longest.clone() + "x"))
        .await
        .expect_status(422);
    assert_eq!(contents(&app, &room).await, [longest]);
}

#[tokio::test]
async fn a_text_that_looks_sealed_is_a_text_in_both_modes() {
    let plain = with_keys(&[]).spawn().await;
    let sealed = with_keys(&[("one", 1)])
        .same_stores_as(&plain)
        .spawn()
        .await;
    let room = titled(&plain, "sealed1:one:AAAA").await;
    let texts = [
        "sealed1:one:AAAA",
        "\\u0001sealed1:one:AAAA",
        "\"\\u0001sealed1:one:AAAA\"",
        "{\"id\":1,\"content\":\"\\u0001sealed1:\"}",
    ];
    for app in [&plain, &sealed] {
        for text in texts {
            let said = room.say(app, room.users[0], text).await;
            assert_eq!(said["content"], text);
        }
        let mark = room.post(app, room.users[0], "\u{1}sealed1:one:AAAA").await;
        mark.expect_status(422);
    }
    for app in [&plain, &sealed] {
        let list = format!("/api/v1/conversations?userId={}", room.users[0]);
        assert_eq!(app.get(&list).await.json()[0]["title"], "sealed1:one:AAAA");
    }
    assert_eq!(contents(&sealed, &room).await, [texts, texts].concat());
}

#[tokio::test]
async fn a_repeated_post_is_recognised_under_all_keys() {
    let plain = with_keys(&[]).spawn().await;
    let old = with_keys(&[("old", 1)])
        .same_stores_as(&plain)
        .spawn()
        .await;
    let new = with_keys(&[("new", 2), ("old", 1)])
        .same_stores_as(&plain)
        .spawn()
        .await;
    let room = titled(&plain, "The file").await;
    let mut ids = Vec::new();
    for (n, app) in [&plain, &old, &new].into_iter().enumerate() {
        let first = post_as(app, &room, "the same", &n.to_string()).await;
        ids.push(first.expect_status(201).json()["id"].clone());
    }
    for (n, id) in ids.iter().enumerate() {
        let again = post_as(&new, &room, "the same", &n.to_string()).await;
        let again = again.expect_status(200).json();
        assert_eq!((&again["id"], &again["content"]), (id, &json!("the same")));
        post_as(&new, &room, "another", &n.to_string())
            .await
            .expect_status(409);
    }
    assert_eq!(contents(&new, &room).await, ["the same"; 3]);
}

#[tokio::test]
async fn a_repeated_creation_and_system_message_are_recognised() {
    let old = with_keys(&[("old", 1)]).spawn().await;
    let new = with_keys(&[("new", 2), ("old", 1)])
        .same_stores_as(&old)
        .spawn()
        .await;
    let users = [unique_user(), unique_user()];
    let key = format!("key-{}", users[0]);
    let call = async |app: &App, path: &str, body: Value| {
        let request = app
            .request(Method::POST, path)
            .header("idempotency-key", &key);
        send(request.json(&body)).await
    };
    let path = "/api/v1/conversations";
    let body = |title: &str| json!({ "title": title, "participantIds": users });
    let created = call(&old, path, body("The file"))
        .await
        .expect_status(201)
        .json();
    for app in [&old, &new] {
        assert_eq!(
            call(app, path, body("The file"))
                .await
                .expect_status(200)
                .json(),
            created
        );
        call(app, path, body("Another")).await.expect_status(409);
    }
    let path = format!(
        "/api/v1/messages/conversations/{}/system-message",
        created["id"]
    );
    let body = |text: &str| json!({ "content": text });
    let said = call(&old, &path, body("opened"))
        .await
        .expect_status(201)
        .json();
    for app in [&old, &new] {
        assert_eq!(
            call(app, &path, body("opened"))
                .await
                .expect_status(200)
                .json(),
            said
        );
        call(app, &path, body("closed")).await.expect_status(409);
    }
}

#[tokio::test]
async fn an_edit_that_changes_nothing_has_no_event() {
    let app = with_keys(&[("one", 1)]).spawn().await;
    let room = titled(&app, "The file").await;
    let said = room.say(&app, room.users[0], "first").await;
    let path = format!("{}?userId={}", path_of(&said), room.users[0]);
    let edit = async |content: &str| {
        let edited = app.patch(&path, json!({ "content": content })).await;
        edited.expect_status(200).json()
    };
    let before = newest_seq(&app, &room).await;
    assert_eq!(edit("first").await, said);
    assert_eq!(newest_seq(&app, &room).await, before);
    futures::join!(
        edit("second"),
        edit("second"),
        edit("second"),
        edit("second")
    );
    assert_eq!(newest_seq(&app, &room).await, before + 1);
    assert_eq!(contents(&app, &room).await, ["second"]);
    let hidden = format!("{}?userId={}", path_of(&said), unique_user());
    app.patch(&hidden, json!({ "content": "x" }))
        .await
        .expect_status(404);
    let other = format!("{}?userId={}", path_of(&said), room.users[1]);
    app.patch(&other, json!({ "content": "x" }))
        .await
        .expect_status(403);
}

#[tokio::test]
async fn a_beginning_of_a_word_is_not_searched_for_where_contents_are_sealed() {
    let app = with_keys(&[("one", 1)]).spawn().await;
    let user = titled(&app, "The file").await.users[0].to_string();
    for query in ["kla*", "frist kla*", "-kla* frist"] {
        let problem = ask(&app, &[("userId", &user), ("q", query)]).await;
        assert_eq!(problem.expect_status(400).json()["errors"][0]["field"], "q");
    }
    ask(&app, &[("userId", &user), ("q", "kla * -frist")])
        .await
        .expect_status(200);
}
