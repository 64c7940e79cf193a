//! The feed of one conversation.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{App, EventStream, app, send, unique_user};
use tests::{Room, path_of};

use super::{SILENCE, feed_of, first_id, join, leave, names};

#[tokio::test]
async fn headers_and_a_first_comment_are_sent_at_once() {
    let room = Room::new(app().await, 2).await;
    let start = Instant::now();
    let mut stream = app().await.events(&feed_of(&room)).await;
    assert_eq!(stream.status(), 200);
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(stream.headers()[name], value);
    }
    assert!(stream.headers().contains_key("x-request-id"));
    assert_eq!(first_id(&mut stream).await.as_deref(), Some("1"));
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn every_change_of_a_conversation_is_an_event() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let mut stream = app.events(&feed_of(&room)).await;

    let message = room.say(app, room.users[1], "one").await;
    let event = stream.next_of("new-message").await;
    assert_eq!(event.id.as_deref(), Some("2"));
    let payload =
        json!({"type": "new-message", "conversationId": room.id, "seq": 2, "message": message});
    assert_eq!(event.json(), payload);

    let typing = json!({ "userId": room.users[1], "isTyping": true });
    app.post(
        &format!("/api/v1/messages/conversations/{}/typing", room.id),
        typing,
    )
    .await
    .expect_status(200);
    let event = stream.next().await.expect("an event");
    assert_eq!(
        (event.event.as_str(), event.id.as_ref()),
        ("typing-start", None)
    );
    assert_eq!(event.json()["userId"], room.users[1]);

    change_everything(app, &room, &message).await;
    let expected = [
        "message-edited",
        "message-read",
        "message-deleted",
        "participant-joined",
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(String::from)
        .zip((3..7).map(|seq: i64| Some(seq.to_string())))
        .collect();
    assert_eq!(names(&mut stream, 4).await, expected);
}

async fn change_everything(app: &App, room: &Room, message: &Value) {
    let edit = json!({ "content": "two", "senderId": room.users[1] });
    app.patch(
        &format!("{}?userId={}", path_of(message), room.users[1]),
        edit,
    )
    .await
    .expect_status(200);
    let read = format!("/api/v1/messages/messages/{}/read", message["id"]);
    app.post(&read, json!({ "userId": room.users[0] }))
        .await
        .expect_status(200);
    app.delete(&path_of(message)).await.expect_status(204);
    join(app, room, unique_user()).await;
}

#[tokio::test]
async fn a_client_resumes_after_its_last_event() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for n in 0..5 {
        room.say(app, room.users[1], &n.to_string()).await;
    }
    let mut stream = app.events_after(&feed_of(&room), 3).await;
    assert_eq!(first_id(&mut stream).await.as_deref(), Some("3"));
    assert_eq!(ids(&mut stream, 2).await, [4, 5]);
    room.say(app, room.users[1], "live").await;
    assert_eq!(ids(&mut stream, 1).await, [6]);
}

async fn ids(stream: &mut EventStream, count: usize) -> Vec<i64> {
    let names = names(stream, count).await.into_iter();
    names
        .map(|(_, id)| id.expect("an id").parse().expect("a seq"))
        .collect()
}

#[tokio::test]
async fn the_header_takes_precedence_over_the_query() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for n in 0..3 {
        room.say(app, room.users[1], &n.to_string()).await;
    }
    let path = format!("{}&lastEventId=0", feed_of(&room));
    let mut stream = app.events(&path).await;
    assert_eq!(ids(&mut stream, 3).await, [2, 3, 4]);
    let mut stream = app.events_after(&path, 2).await;
    assert_eq!(ids(&mut stream, 1).await, [3]);
    let mut stream = app.events_after(&path, "").await;
    assert_eq!(ids(&mut stream, 3).await, [2, 3, 4]);
}

#[tokio::test]
async fn a_long_history_is_complete_and_in_order() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for n in 0..130 {
        room.say(app, room.users[1], &n.to_string()).await;
    }
    let mut stream = app.events_after(&feed_of(&room), 0).await;
    assert_eq!(ids(&mut stream, 130).await, Vec::from_iter(2..=131));
}

#[tokio::test]
async fn a_client_that_was_disconnected_before_the_first_event_misses_nothing() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    room.say(app, room.users[1], "before").await;
    let id = first_id(&mut app.events(&feed_of(&room)).await)
        .await
        .expect("an id");
    room.say(app, room.users[1], "while away").await;
    let mut stream = app.events_after(&feed_of(&room), id).await;
    assert_eq!(ids(&mut stream, 1).await, [3]);
}

#[tokio::test]
async fn an_id_of_another_feed_is_a_resync() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    room.say(app, room.users[1], "one").await;
    for id in ["3", "99", "-1", "1795510303015-0", "x"] {
        let mut stream = app.events_after(&feed_of(&room), id).await;
        let event = stream.next().await.expect("an event");
        assert_eq!(
            (event.event.as_str(), event.id.as_deref()),
            ("resync", Some("2")),
            "after {id}"
        );
        assert_eq!(event.json(), json!({ "type": "resync" }));
    }
    let mut stream = app.events_after(&feed_of(&room), "x").await;
    stream.next_of("resync").await;
    room.say(app, room.users[1], "two").await;
    assert_eq!(ids(&mut stream, 1).await, [3]);
}

/// A client that sends what cannot be read had a position: `resync` reports the gap.
#[tokio::test]
async fn a_last_event_id_that_cannot_be_read_is_a_gap() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let paths = [feed_of(&room), super::user_feed(room.users[0])];
    for path in &paths {
        for ids in [vec!["ä"], vec!["1", "1"], vec!["+1"]] {
            let mut request = app.request(reqwest::Method::GET, path);
            for id in &ids {
                request = request.header("last-event-id", *id);
            }
            let mut stream = testkit::EventStream::open(request).await;
            stream.next_of("resync").await;
        }
    }
}

#[tokio::test]
async fn a_hidden_conversation_has_no_stream() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let stranger = format!(
        "/api/v1/messages/conversations/{}/events?userId={}",
        room.id,
        unique_user()
    );
    let absent = "/api/v1/messages/conversations/9007199254740991/events";
    for path in [stranger.as_str(), absent] {
        let answer = app.get(path).await.expect_status(404);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
    app.get("/api/v1/messages/conversations/x/events")
        .await
        .expect_status(400);
    let answer = app
        .post(&feed_of(&room), json!({}))
        .await
        .expect_status(405);
    assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn a_user_who_leaves_gets_no_event_after_their_leaving() {
    let app = app().await;
    let room = Room::new(app, 3).await;
    let mut stream = app.events(&feed_of(&room)).await;
    leave(app, &room, room.users[1]).await;
    leave(app, &room, room.users[0]).await;
    room.say(app, room.users[2], "among ourselves").await;
    let left = |id: &str| ("participant-left".to_owned(), Some(id.to_owned()));
    assert_eq!(names(&mut stream, 2).await, [left("2"), left("3")]);
    assert_eq!(stream.next().await, None);
    app.get(&feed_of(&room)).await.expect_status(404);
}

#[tokio::test]
async fn a_user_who_returns_also_gets_the_events_of_their_absence() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    leave(app, &room, room.users[0]).await;
    room.say(app, room.users[1], "during the absence").await;
    join(app, &room, room.users[0]).await;
    let mut stream = app.events_after(&feed_of(&room), 0).await;
    assert_eq!(ids(&mut stream, 3).await, [2, 3, 4]);
    room.say(app, room.users[1], "live").await;
    assert_eq!(ids(&mut stream, 1).await, [5]);
}

#[tokio::test]
async fn an_idle_stream_sends_comments() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let mut stream = app.events(&feed_of(&room)).await;
    first_id(&mut stream).await;
    for _ in 0..3 {
        let block = tokio::time::timeout(SILENCE, stream.next_block()).await;
        let block = block.expect("a comment in time").expect("an open stream");
        assert!(block.is_comment(), "{block:?}");
    }
}

#[tokio::test]
async fn a_stream_ends_cleanly_at_its_time_limit() {
    let app = App::builder().variable("sse_max_seconds", 2).spawn().await;
    let room = Room::new(&app, 2).await;
    let start = Instant::now();
    let whole = send(app.request(reqwest::Method::GET, &feed_of(&room))).await;
    assert!(
        (2..6).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
    let text = whole.expect_status(200).text();
    assert!(text.ends_with(": lifetime over: resume\n\n"), "{text}");
}
