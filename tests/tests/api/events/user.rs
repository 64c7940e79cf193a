//! The feed of a user.

use std::time::Duration;

use redis::AsyncCommands;
use redis::streams::StreamInfoStreamReply;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, EventStream, app, unique_user, wait_for};
use tests::{Room, token};

use super::{CREATED, first_id, join, leave, user_feed};

/// The next durable events, as (conversation, seq).
async fn durable(stream: &mut EventStream, count: usize) -> Vec<(i64, i64)> {
    let mut events = Vec::new();
    while events.len() < count {
        let event = stream.next().await.expect("the stream goes on").json();
        if event["type"] == CREATED {
            continue;
        }
        if let Some(seq) = event["seq"].as_i64() {
            events.push((
                event["conversationId"].as_i64().expect("a conversation"),
                seq,
            ));
        }
    }
    events
}

async fn counts(stream: &mut EventStream, room: &Room, until: i64) {
    loop {
        let event = stream.next_of("unread-count").await.json();
        if event["conversationId"] == room.id && event["count"] == until {
            return;
        }
    }
}

#[tokio::test]
async fn it_has_the_events_and_unread_counts_of_all_conversations() {
    let app = app().await;
    let user = unique_user();
    let (one, two) = (
        Room::of(app, vec![user, unique_user()]).await,
        Room::of(app, vec![user, unique_user()]).await,
    );
    let mut stream = app.events(&user_feed(user)).await;
    assert_eq!(stream.status(), 200);
    let message = one.say(app, one.users[1], "one").await;
    let event = stream.next_of("new-message").await;
    assert_eq!(event.json()["message"], message);
    counts(&mut stream, &one, 1).await;
    two.say(app, two.users[1], "two").await;
    assert_eq!(durable(&mut stream, 1).await, [(two.id, 2)]);
    counts(&mut stream, &two, 1).await;
    let read = format!("/api/v1/messages/messages/{}/read", message["id"]);
    app.post(&read, json!({ "userId": user }))
        .await
        .expect_status(200);
    counts(&mut stream, &one, 0).await;
}

#[tokio::test]
async fn it_has_the_presence_of_users_who_share_a_conversation() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let mut stream = app.events(&user_feed(room.users[0])).await;
    for (action, stranger) in [("online", unique_user()), ("offline", unique_user())] {
        for user in [stranger, room.users[1]] {
            let path = format!("/api/v1/messages/users/{user}/{action}");
            app.post(&path, json!({})).await.expect_status(200);
        }
        let event = stream.next_of(action).await.json();
        assert_eq!(event["userId"], room.users[1]);
    }
    let typing = json!({ "userId": room.users[1], "isTyping": true });
    app.post(
        &format!("/api/v1/messages/conversations/{}/typing", room.id),
        typing,
    )
    .await
    .expect_status(200);
    assert_eq!(
        stream.next_of("typing-start").await.json()["conversationId"],
        room.id
    );
}

#[tokio::test]
async fn joins_and_leaves_take_effect_at_once() {
    let app = app().await;
    let (room, user) = (Room::new(app, 2).await, unique_user());
    let mut stream = app.events(&user_feed(user)).await;
    room.say(app, room.users[0], "before").await;
    join(app, &room, user).await;
    room.say(app, room.users[0], "within").await;
    leave(app, &room, user).await;
    room.say(app, room.users[0], "after").await;
    let other = Room::of(app, vec![user, room.users[0]]).await;
    other.say(app, room.users[0], "elsewhere").await;
    let mut events = vec![];
    // The feed keeps the order of each conversation, not that of two.
    while !(events.contains(&(room.id, 5)) && events.contains(&(other.id, 2))) {
        events.extend(durable(&mut stream, 1).await);
    }
    relayed(app, &room, 6).await;
    other.say(app, room.users[0], "the last").await;
    while events.last() != Some(&(other.id, 3)) {
        events.extend(durable(&mut stream, 1).await);
    }
    events.retain(|event| event.0 == room.id);
    assert_eq!(events, [(room.id, 3), (room.id, 4), (room.id, 5)]);
}

/// Waits until the relay has delivered an event.
async fn relayed(app: &App, room: &Room, seq: i64) {
    let mut redis = app.redis().await;
    let key = format!("conversation:{}:stream", room.id);
    let observe = async || -> Option<StreamInfoStreamReply> { redis.xinfo_stream(&key).await.ok() };
    let last = format!("{seq}-0");
    let is_last = |stream: &Option<StreamInfoStreamReply>| {
        stream
            .as_ref()
            .is_some_and(|stream| stream.last_generated_id == last)
    };
    let (what, limit) = (format!("event {seq} is relayed"), Duration::from_secs(15));
    wait_for(&what, limit, observe, is_last).await;
}

#[tokio::test]
async fn a_client_resumes_after_its_last_event() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let path = user_feed(room.users[0]);
    let mut stream = app.events(&path).await;
    room.say(app, room.users[1], "one").await;
    let id = stream.next_of("new-message").await.id.expect("an id");
    drop(stream);
    room.say(app, room.users[1], "two").await;
    room.say(app, room.users[1], "three").await;
    let mut stream = app.events_after(&path, &id).await;
    assert_eq!(durable(&mut stream, 2).await, [(room.id, 3), (room.id, 4)]);
    let mut stream = app.events(&format!("{path}?lastEventId={id}")).await;
    assert_eq!(durable(&mut stream, 2).await, [(room.id, 3), (room.id, 4)]);
}

#[tokio::test]
async fn a_client_that_was_disconnected_before_the_first_event_misses_nothing() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let path = user_feed(room.users[0]);
    let id = first_id(&mut app.events(&path).await).await.expect("an id");
    room.say(app, room.users[1], "while away").await;
    let mut stream = app.events_after(&path, id).await;
    assert_eq!(durable(&mut stream, 1).await, [(room.id, 2)]);
}

#[tokio::test]
async fn an_event_that_is_relayed_twice_is_delivered_once() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let path = user_feed(room.users[0]);
    let mut stream = app.events(&path).await;
    room.say(app, room.users[1], "one").await;
    room.say(app, room.users[1], "two").await;
    assert_eq!(durable(&mut stream, 2).await, [(room.id, 2), (room.id, 3)]);
    let id = stream.next_of("unread-count").await.id.expect("an id");
    // As after the end of a relay that delivered and did not record it.
    let postgres = app.postgres().await;
    for again in [
        "update relay_progress set relayed_seq = 0 where conversation_id = $1",
        "update conversations set relayed_seq = 0 where id = $1",
    ] {
        postgres
            .execute(again, &[&room.id])
            .await
            .expect("an update");
    }
    room.say(app, room.users[1], "three").await;
    assert_eq!(durable(&mut stream, 1).await, [(room.id, 4)]);
    let mut resumed = app.events_after(&path, id).await;
    assert_eq!(durable(&mut resumed, 1).await, [(room.id, 4)]);
}

#[tokio::test]
async fn an_id_that_the_feed_no_longer_reaches_is_a_resync() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let path = user_feed(room.users[0]);
    let id = first_id(&mut app.events(&path).await).await.expect("an id");
    let mut redis = app.redis().await;
    let _: Value = redis::cmd("XADD")
        .arg(format!("user:{}:feed", room.users[0]))
        .arg(&["MAXLEN", "1", "*", "event", "{}"])
        .query_async::<String>(&mut redis)
        .await
        .map(Value::from)
        .expect("an id");
    for id in [id.as_str(), "5-0", "99999999999999-0", "7", "x"] {
        let mut stream = app.events_after(&path, id).await;
        let event = stream.next().await.expect("an event");
        assert_eq!(event.event, "resync", "after {id}");
        assert_eq!(event.json(), json!({ "type": "resync" }));
        room.say(app, room.users[1], "on").await;
        assert_eq!(durable(&mut stream, 1).await.len(), 1);
        let mut resumed = app.events_after(&path, event.id.expect("an id")).await;
        assert_eq!(durable(&mut resumed, 1).await.len(), 1);
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let app = token::closed().spawn().await;
    let (user, lifetime, leeway) = (unique_user(), 3, 30);
    let mut claims = token::claims(user);
    claims["exp"] = (token::now() + lifetime - leeway).into();
    let request = app.request(Method::GET, &user_feed(user));
    let request = request.header("authorization", token::bearer(&claims));
    let mut stream = EventStream::open(request).await;
    assert_eq!(stream.status(), 200);
    let next = stream.next_within(Duration::from_secs(lifetime + 2)).await;
    assert_eq!(next, None);
}

#[tokio::test]
async fn a_malformed_entry_is_skipped() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let mut stream = app.events(&user_feed(room.users[0])).await;
    let mut redis = app.redis().await;
    let key = format!("user:{}:feed", room.users[0]);
    let _: String = redis
        .xadd(&key, "*", &[("event", "not json")])
        .await
        .expect("an id");
    let message = room.say(app, room.users[1], "one").await;
    let event = stream.next_of("new-message").await.json();
    assert_eq!(event["message"]["id"], message["id"]);
}
