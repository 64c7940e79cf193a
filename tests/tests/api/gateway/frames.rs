//! Every frame of a client, and what it gets.

use serde_json::{Value, json};
use testkit::App;
use tests::Room;

use super::{app, quiet_room};

#[tokio::test]
async fn a_socket_begins_with_hello_and_gets_what_is_posted() {
    let app = app().await;
    let room = quiet_room(app).await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let mut socket = app.socket(bob).await;
    let hello = socket.next().await.expect("a frame");
    assert_eq!(hello["type"], "hello");
    assert_eq!(hello["userId"], bob);
    assert!(hello["heartbeatSeconds"].as_u64() > Some(0));
    room.say(app, ann, "First").await;
    let before = socket.next_of("unread-count").await;
    room.say(app, ann, "Hello").await;
    let event = socket.next_of("new-message").await;
    assert_eq!(event["message"]["content"], "Hello");
    assert_eq!(event["conversationId"], room.id);
    assert_eq!(event["seq"], 3);
    assert_eq!(event["previousId"], before["id"]);
    let unread = socket.next_of("unread-count").await;
    assert_eq!(unread["count"], 2);
    assert_eq!(unread["previousId"], event["id"]);
}

#[tokio::test]
async fn text_that_looks_like_a_command_to_the_proxy_is_text() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let (mut from, mut to) = (app.socket(ann).await, app.socket(bob).await);
    for content in [r#"c:{"type":"detach"}"#, "m:hello", "c:", "m:c:"] {
        let post = json!({"type": "post", "conversationId": room.id, "content": content});
        let posted = from.ask(post).await;
        assert_eq!(posted["type"], "ok", "{posted}");
        assert_eq!(posted["message"]["content"], content);
        let event = to.next_of("new-message").await;
        assert_eq!(event["message"]["content"], content);
    }
    // Neither is a frame, nor the reference that its answer repeats.
    from.send_text(r#"c:{"type":"detach"}"#).await;
    assert_eq!(from.next_of("error").await["problem"]["status"], 400);
    from.send(json!({"type": "heartbeat", "ref": "c:"})).await;
    assert_eq!(from.next_of("ok").await["ref"], "c:");
}

#[tokio::test]
async fn a_post_is_written_once() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let mut socket = app.socket(room.users[0]).await;
    let post = json!({
        "type": "post", "conversationId": room.id, "content": "Once", "clientMessageId": "a",
    });
    let first = socket.ask(post.clone()).await;
    let second = socket.ask(post).await;
    assert_eq!(first["message"]["senderId"], room.users[0]);
    assert_eq!(first["message"], second["message"]);
    assert_eq!(room.messages(app, 10).await.len(), 1);
}

#[tokio::test]
async fn reading_and_typing_are_as_by_http() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let message = room.say(app, ann, "Hello").await;
    let (mut of_ann, mut of_bob) = (app.socket(ann).await, app.socket(bob).await);
    let read = of_bob
        .ask(json!({"type": "read", "messageId": message["id"]}))
        .await;
    assert!(read["readAt"].is_string(), "{read}");
    let event = of_ann.next_of("message-read").await;
    assert_eq!(event["userId"], bob);
    for (is_typing, expected) in [(true, "typing-start"), (false, "typing-stop")] {
        let typing = json!({"type": "typing", "conversationId": room.id, "isTyping": is_typing});
        assert_eq!(of_bob.ask(typing).await["type"], "ok");
        assert_eq!(of_ann.next_of(expected).await["userId"], bob);
    }
}

#[tokio::test]
async fn a_heartbeat_names_the_newest_event() {
    let app = app().await;
    let room = quiet_room(app).await;
    let mut socket = app.socket(room.users[1]).await;
    let hello = socket.next_of("hello").await;
    let heartbeat = socket.ask(json!({"type": "heartbeat"})).await;
    assert_eq!(heartbeat["lastEventId"], hello["lastEventId"]);
    room.say(app, room.users[0], "Hello").await;
    let last = socket.next_of("unread-count").await;
    let heartbeat = socket.ask(json!({"type": "heartbeat"})).await;
    assert_eq!(heartbeat["lastEventId"], last["id"]);
}

/// The events behind a position, and the answer's `lastEventId`.
async fn resume(app: &App, user: i64, last: &Value) -> (Vec<Value>, Value) {
    let mut socket = app.socket(user).await;
    socket.next_of("hello").await;
    socket
        .send(json!({"type": "resume", "ref": "r", "lastEventId": last}))
        .await;
    let mut events = vec![];
    loop {
        let frame = socket.next().await.expect("a frame");
        if frame["ref"] == "r" {
            return (events, frame["lastEventId"].clone());
        }
        events.push(frame);
    }
}

#[tokio::test]
async fn resuming_gives_the_missed_events_once_and_in_order() {
    let app = app().await;
    let room = quiet_room(app).await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let mut socket = app.socket(bob).await;
    let hello = socket.next_of("hello").await;
    let mut live = vec![];
    for n in 0..5 {
        room.say(app, ann, &n.to_string()).await;
        live.push(socket.next_of("new-message").await);
    }
    socket.next_of("unread-count").await;
    socket.close().await;
    let (missed, _) = resume(app, bob, &hello["lastEventId"]).await;
    let messages: Vec<&Value> = missed
        .iter()
        .filter(|event| event["type"] == "new-message")
        .collect();
    assert_eq!(messages, live.iter().collect::<Vec<_>>());
    let mut previous = hello["lastEventId"].clone();
    for event in &missed {
        assert_eq!(event["previousId"], previous);
        previous = event["id"].clone();
    }
    let (rest, last) = resume(app, bob, &previous).await;
    // The presence of others may have come since.
    assert!(rest.iter().all(|event| event["type"] != "new-message"));
    assert!(last.is_string());
}

#[tokio::test]
async fn a_position_that_is_unknown_is_a_resync() {
    let app = app().await;
    let room = quiet_room(app).await;
    for last in ["1-0.000000000000", "x", "", "c:"] {
        let (events, newest) = resume(app, room.users[1], &last.into()).await;
        let types: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
        assert_eq!(types, ["resync"], "{last}");
        assert_eq!(events[0]["id"], newest);
    }
}

#[tokio::test]
async fn errors_are_those_of_the_http_api_and_the_socket_stays_open() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let other = Room::new(app, 2).await;
    let mut socket = app.socket(room.users[0]).await;
    let post = |conversation: i64, content: &str| json!({"type": "post", "conversationId": conversation, "content": content});
    for (frame, status) in [
        (post(other.id, "Hello"), 404),
        (post(room.id, " "), 422),
        (post(room.id, &"x".repeat(16_385)), 422),
        (json!({"type": "post", "conversationId": room.id}), 400),
        (json!({"type": "read", "messageId": 1}), 404),
        (
            json!({"type": "typing", "conversationId": other.id, "isTyping": true}),
            404,
        ),
        (json!({"type": "resume"}), 400),
        (json!({"type": "later"}), 400),
        (json!({}), 400),
    ] {
        let answer = socket.ask(frame.clone()).await;
        assert_eq!(answer["problem"]["status"], status, "{frame}: {answer}");
        assert_eq!(answer["problem"]["type"], "about:blank");
    }
    for text in ["", "x", "[]", "{", r#"{"type":"heartbeat","ref":""}"#] {
        socket.send_text(text).await;
        assert_eq!(
            socket.next_of("error").await["problem"]["status"],
            400,
            "{text}"
        );
    }
    socket.send_binary(vec![1]).await;
    assert_eq!(socket.next_of("error").await["problem"]["status"], 400);
    assert_eq!(socket.ask(json!({"type": "heartbeat"})).await["type"], "ok");
}

#[tokio::test]
async fn the_longest_message_arrives_and_a_longer_frame_ends_the_socket() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let (mut from, mut to) = (
        app.socket(room.users[0]).await,
        app.socket(room.users[1]).await,
    );
    let longest = "\"".repeat(16_384);
    let post = json!({"type": "post", "conversationId": room.id, "content": longest});
    assert_eq!(from.ask(post).await["message"]["content"], longest);
    assert_eq!(
        to.next_of("new-message").await["message"]["content"],
        longest
    );
    let limit = 16_384 * 6 + 8 * 1024;
    from.send_text(" ".repeat(limit)).await;
    assert_eq!(from.next_of("error").await["problem"]["status"], 400);
    from.send_text(" ".repeat(limit + 1)).await;
    let code = from.end_within(std::time::Duration::from_secs(10)).await;
    assert_eq!(code, Some(1009));
}
