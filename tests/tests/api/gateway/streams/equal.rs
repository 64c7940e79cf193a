//! Clients cannot tell a stream that the proxy holds from one that is served straight.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use testkit::{App, Event, EventStream, unique_user};
use tests::{Room, path_of};

use super::super::{app, quiet_room};
use super::{feed_of, held, held_after, request, user_feed};

/// The same stream both ways.
struct Both {
    straight: EventStream,
    held: EventStream,
    /// What the straight one brought.
    events: Vec<Event>,
}

impl Both {
    async fn open(app: &App, path: &str) -> Self {
        let mut both = Self {
            straight: app.events(path).await,
            held: held(app, path).await,
            events: vec![],
        };
        both.opening().await;
        both
    }

    async fn after(app: &App, path: &str, id: &str) -> Self {
        let mut both = Self {
            straight: app.events_after(path, id).await,
            held: held_after(app, path, id).await,
            events: vec![],
        };
        both.opening().await;
        both
    }

    async fn opening(&mut self) {
        let (straight, held) = (self.straight.headers(), self.held.headers());
        for name in ["content-type", "cache-control", "x-accel-buffering"] {
            assert_eq!(straight.get(name), held.get(name), "{name}");
        }
        let grip = held.keys().filter(|name| name.as_str().starts_with("grip"));
        assert_eq!(grip.count(), 0, "{held:?}");
        let straight = self.straight.next_block().await.expect("an opening");
        let held = self.held.next_block().await.expect("an opening");
        assert_eq!(straight, held);
        assert_eq!(held.comment.as_deref(), Some("connected"));
    }

    /// Waits for an event on both; the events up to it are equal.
    async fn until(&mut self, event: &str) -> Event {
        loop {
            let straight = self.straight.next().await.expect("it goes on");
            let held = self.held.next().await.expect("it goes on");
            assert_eq!(straight, held, "after {:#?}", self.events);
            self.events.push(straight.clone());
            if straight.event == event {
                return straight;
            }
        }
    }
}

async fn set_typing(app: &App, room: &Room, user: i64, is_typing: bool) {
    let path = format!("/api/v1/messages/conversations/{}/typing", room.id);
    let body = json!({"userId": user, "isTyping": is_typing});
    app.post(&path, body).await.expect_status(200);
}

/// Everything that happens in a conversation; both streams have it after each step.
async fn live(app: &App, room: &Room, both: &mut Both) {
    let (other, third) = (room.users[1], unique_user());
    let first = room.say(app, other, "One\nline: \"é\" 🙂").await;
    both.until("new-message").await;
    set_typing(app, room, other, true).await;
    both.until("typing-start").await;
    let second = room.say(app, other, "two").await;
    both.until("new-message").await;
    set_typing(app, room, other, false).await;
    both.until("typing-stop").await;
    let edit = json!({"content": "One, edited"});
    app.patch(&path_of(&first), edit).await.expect_status(200);
    both.until("message-edited").await;
    app.delete(&path_of(&second)).await.expect_status(204);
    both.until("message-deleted").await;
    let read = format!("/api/v1/messages/messages/{}/read", second["id"]);
    app.post(&read, json!({"userId": room.users[0]}))
        .await
        .expect_status(200);
    both.until("message-read").await;
    let participants = format!("/api/v1/conversations/{}/participants", room.id);
    app.post(&participants, json!({"userId": third}))
        .await
        .expect_status(201);
    both.until("participant-joined").await;
    app.delete(&format!("{participants}/{third}"))
        .await
        .expect_status(204);
    both.until("participant-left").await;
    room.say(app, room.users[0], "own").await;
    both.until("new-message").await;
}

#[tokio::test]
async fn a_conversations_stream_is_equal_event_by_event() {
    let app = app().await;
    let room = quiet_room(app).await;
    let mut both = Both::open(app, &feed_of(&room, room.users[0])).await;
    live(app, &room, &mut both).await;
    assert!(both.events.len() >= 10, "{:#?}", both.events);
}

#[tokio::test]
async fn a_users_stream_is_equal_event_by_event() {
    let app = app().await;
    let room = quiet_room(app).await;
    let mut both = Both::open(app, &user_feed(room.users[0])).await;
    let other = room.users[1];
    for action in ["online", "offline"] {
        let path = format!("/api/v1/messages/users/{other}/{action}");
        app.post(&path, json!({})).await.expect_status(200);
        both.until(action).await;
    }
    live(app, &room, &mut both).await;
    let created = Room::of(app, vec![room.users[0], other]).await;
    assert_eq!(
        both.until("conversation-created").await.json()["conversationId"],
        created.id
    );
    let counts = both.events.iter().filter(|e| e.event == "unread-count");
    assert!(counts.count() >= 5, "{:#?}", both.events);
}

#[tokio::test]
async fn what_was_missed_is_equal_however_much_it_is() {
    let app = app().await;
    let room = quiet_room(app).await;
    let first = room.say(app, room.users[1], "first").await;
    let mut feed = app.events(&user_feed(room.users[0])).await;
    // Escaped, each is nearly as long as a message may be: together more than a proxy buffers.
    let long = "\"".repeat(16_000);
    for n in 0..45 {
        let content = if n % 3 == 0 { &long } else { "short" };
        room.say(app, room.users[1], content).await;
    }
    let position = feed.next().await.expect("an event").id.expect("an id");
    for (path, id) in [
        (feed_of(&room, room.users[0]), "2".to_owned()),
        (user_feed(room.users[0]), position),
    ] {
        let mut both = Both::after(app, &path, &id).await;
        let mut contents = 0;
        while contents < 45 {
            both.until("new-message").await;
            contents += 1;
        }
        room.say(app, room.users[1], "after").await;
        let event = both.until("new-message").await;
        assert_eq!(event.json()["message"]["content"], "after");
    }
    assert_eq!(first["ordinal"], 1);
}

#[tokio::test]
async fn an_unknown_position_is_a_resync_on_both() {
    let app = app().await;
    let room = quiet_room(app).await;
    for path in [feed_of(&room, room.users[0]), user_feed(room.users[0])] {
        for id in ["x", "999999999", "5-0.000000000000"] {
            let mut both = Both::after(app, &path, id).await;
            both.until("resync").await;
            room.say(app, room.users[1], "after").await;
            both.until("new-message").await;
        }
    }
}

#[tokio::test]
async fn a_service_has_the_streams_too() {
    let app = app().await;
    let room = quiet_room(app).await;
    let path = format!("/api/v1/messages/conversations/{}/events", room.id);
    let mut both = Both::open(app, &path).await;
    room.say(app, room.users[1], "Hello").await;
    both.until("new-message").await;
}

#[tokio::test]
async fn an_idle_stream_gets_comments() {
    let app = app().await;
    let mut stream = held(app, &user_feed(unique_user())).await;
    stream.next_block().await.expect("an opening");
    for _ in 0..2 {
        let begun = Instant::now();
        let block = tokio::time::timeout(Duration::from_secs(15), stream.next_block()).await;
        let block = block.expect("in time").expect("it goes on");
        assert!(block.is_comment(), "{block:?} after {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn errors_and_head_are_those_of_a_straight_stream() {
    let app = app().await;
    let room = quiet_room(app).await;
    let paths = [
        (feed_of(&room, unique_user()), 404),
        (
            format!("/api/v1/messages/conversations/{}/events", i64::MAX >> 11),
            404,
        ),
        ("/api/v1/messages/users/x/events".to_owned(), 400),
    ];
    for (path, status) in paths {
        app.get(&path).await.expect_status(status);
        let held = testkit::send(request(app, Method::GET, &path)).await;
        held.expect_status(status);
    }
    let path = user_feed(room.users[0]);
    let head = testkit::send(request(app, Method::HEAD, &path)).await;
    assert_eq!(head.expect_status(200).text(), "");
}
