//! Who finds what: only messages of conversations that one takes part in, and no trace of others.

use reqwest::Method;
use serde_json::json;
use testkit::{App, app, send, unique_user};
use tests::{Room, token};

use super::{ask, contents, found, path, say_all, search_as};

#[tokio::test]
async fn a_user_finds_messages_of_their_own_conversations_only() {
    let app = app().await;
    let (room, other) = (Room::new(app, 2).await, Room::new(app, 2).await);
    room.say(app, room.users[0], "confidential here").await;
    other.say(app, other.users[0], "confidential there").await;
    assert_eq!(
        found(app, room.users[1], "confidential").await,
        ["confidential here"]
    );
    assert_eq!(found(app, unique_user(), "confidential").await, [""; 0]);
    let hidden = [("conversationId", other.id), ("userId", room.users[0])];
    let missing = [("conversationId", 1 << 52), ("userId", room.users[0])];
    let of_others = async |[conversation, user]: [(&'static str, i64); 2]| {
        let (id, user) = (conversation.1.to_string(), user.1.to_string());
        let answer = ask(
            app,
            &[
                ("conversationId", &id),
                ("userId", &user),
                ("q", "confidential"),
            ],
        )
        .await;
        answer.expect_status(404).text().replace(&id, "")
    };
    assert_eq!(of_others(hidden).await, of_others(missing).await);
}

#[tokio::test]
async fn one_who_left_finds_nothing_until_they_are_back() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let user = room.users[1];
    room.say(app, room.users[0], "a matter").await;
    let participants = format!("/api/v1/conversations/{}/participants", room.id);
    let leave = format!("{participants}/{user}");
    app.delete(&leave).await.expect_status(204);
    assert_eq!(found(app, user, "matter").await, [""; 0]);
    app.post(&participants, json!({ "userId": user }))
        .await
        .expect_status(201);
    assert_eq!(found(app, user, "matter").await, ["a matter"]);
}

#[tokio::test]
async fn what_others_write_changes_nothing_in_an_answer() {
    let app = app().await;
    let (room, other) = (Room::new(app, 1).await, Room::new(app, 1).await);
    say_all(app, &room, &["term term", "term and more", "more term"]).await;
    let user = room.users[0].to_string();
    let first = [("userId", &*user), ("q", "term"), ("limit", "2")];
    let before = ask(app, &first).await.text();
    say_all(
        app,
        &other,
        &["term term term", "term", "term term", "term"],
    )
    .await;
    assert_eq!(ask(app, &first).await.text(), before);
}

#[tokio::test]
async fn a_service_names_a_conversation_or_a_user() {
    let app = app().await;
    let (room, other) = (Room::new(app, 2).await, Room::new(app, 2).await);
    room.say(app, room.users[0], "subject here").await;
    other.say(app, other.users[0], "subject there").await;
    let id = room.id.to_string();
    let answer = ask(app, &[("conversationId", &id), ("q", "subject")]).await;
    assert_eq!(
        contents(&answer.expect_status(200).json()),
        ["subject here"]
    );
    let answer = search_as(app, other.users[1], "subject").await;
    assert_eq!(contents(&answer), ["subject there"]);
    let problem = ask(app, &[("q", "subject")]).await.expect_status(400);
    assert_eq!(problem.json()["errors"][0]["field"], "conversationId");
}

#[tokio::test]
async fn with_tokens_a_user_searches_as_themselves() {
    let app: App = token::closed().variable("rate_limit", 0).spawn().await;
    let as_caller = async |token: String, parameters: &[(&str, &str)]| {
        let request = app.request(Method::GET, &path(parameters));
        send(request.header("authorization", token)).await
    };
    let (user, other) = (unique_user(), unique_user());
    let create = app.request(Method::POST, "/api/v1/conversations");
    let create = create.json(&json!({ "participantIds": [user] }));
    let created = send(create.header("authorization", token::service())).await;
    let id = created.expect_status(201).json()["id"].to_string();
    let post = app.request(Method::POST, "/api/v1/messages");
    let post = post
        .json(&json!({ "conversationId": created_id(&id), "senderId": user, "content": "token" }));
    send(post.header("authorization", token::service()))
        .await
        .expect_status(201);

    let (mine, theirs) = (user.to_string(), other.to_string());
    let count = async |token: String, parameters: &[(&str, &str)]| {
        let answer = as_caller(token, parameters).await.expect_status(200).json();
        contents(&answer).len()
    };
    assert_eq!(count(token::user(user), &[("q", "token")]).await, 1);
    assert_eq!(count(token::user(other), &[("q", "token")]).await, 0);
    assert_eq!(
        count(token::service(), &[("q", "token"), ("userId", &mine)]).await,
        1
    );
    assert_eq!(
        count(token::service(), &[("q", "token"), ("userId", &theirs)]).await,
        0
    );
    assert_eq!(
        count(token::service(), &[("q", "token"), ("conversationId", &id)]).await,
        1
    );
    for (token, parameters, status) in [
        (
            token::user(other),
            vec![("q", "token"), ("userId", &*mine)],
            403,
        ),
        (
            token::user(other),
            vec![("q", "token"), ("conversationId", &*id)],
            404,
        ),
        (
            token::service(),
            vec![
                ("q", "token"),
                ("conversationId", &*id),
                ("userId", &*theirs),
            ],
            404,
        ),
        (token::service(), vec![("q", "token")], 400),
    ] {
        as_caller(token, &parameters).await.expect_status(status);
    }
}

fn created_id(id: &str) -> i64 {
    id.parse().expect("an id")
}
