//! The relay: unread counts, streams and feeds, and its crashes.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use redis::AsyncCommands;
use redis::streams::StreamRangeReply;
use serde_json::{Value, json};
use testkit::{App, app, wait_for};
use tests::{Room, path_of};

const SOON: Duration = Duration::from_secs(10);
/// Longer than the lease of a relay.
const AFTER_A_LEASE: Duration = Duration::from_secs(20);

/// The ids and events of a stream or feed.
async fn entries(app: &App, key: &str) -> Vec<(String, Value)> {
    let mut redis = app.redis().await;
    let reply: StreamRangeReply = redis.xrange_all(key).await.expect("a stream");
    let parse = |json: String| serde_json::from_str(&json).expect("JSON");
    reply
        .ids
        .iter()
        .map(|entry| {
            (
                entry.id.clone(),
                parse(entry.get("event").expect("an event")),
            )
        })
        .collect()
}

async fn stream_ids(app: &App, room: &Room) -> Vec<String> {
    let key = format!("conversation:{}:stream", room.id);
    entries(app, &key)
        .await
        .into_iter()
        .map(|(id, _)| id)
        .collect()
}

fn ids_up_to(seq: i64) -> Vec<String> {
    (1..=seq).map(|seq| format!("{seq}-0")).collect()
}

/// The seqs of a conversation in the feed of a user.
async fn fed(app: &App, user: i64, room: &Room) -> BTreeSet<i64> {
    let events = entries(app, &format!("user:{user}:feed")).await;
    let of_room = events
        .into_iter()
        .filter(|(_, event)| event["conversationId"] == room.id);
    of_room
        .filter_map(|(_, event)| event["seq"].as_i64())
        .collect()
}

async fn unread_in_redis(app: &App, room: &Room, user: i64) -> Option<i64> {
    app.redis()
        .await
        .get(format!("conversation:{}:unread:{user}", room.id))
        .await
        .expect("a count")
}

async fn unread_in_api(app: &App, room: &Room, user: i64) -> i64 {
    let path = format!(
        "/api/v1/messages/users/{user}/unread-count?conversationId={}",
        room.id
    );
    app.get(&path).await.expect_status(200).json()["count"]
        .as_i64()
        .expect("a count")
}

async fn backlog(app: &App) -> i64 {
    app.get("/api/v1/health").await.expect_status(200).json()["relay"]["backlog"]
        .as_i64()
        .expect("a backlog")
}

/// A user who has been online: Redis holds their unread counts and their feed.
async fn seen_user(app: &App) -> i64 {
    let user = testkit::unique_user();
    let path = format!("/api/v1/messages/users/{user}/online");
    app.post(&path, json!({})).await.expect_status(200);
    user
}

/// A conversation of two users who have been online.
async fn seen_room(app: &App) -> Room {
    let users = vec![seen_user(app).await, seen_user(app).await];
    Room::of(app, users).await
}

/// Waits until stream, count and feed of a room are right. Only its first user has posted there.
async fn relayed(app: &App, room: &Room, posts: i64, limit: Duration) {
    let reader = room.users[1];
    let observe = async || {
        (
            stream_ids(app, room).await,
            unread_in_redis(app, room, reader).await,
            fed(app, reader, room).await,
        )
    };
    let expected = (ids_up_to(posts + 1), Some(posts), (1..=posts + 1).collect());
    let what = format!("{posts} posts of the room {} are relayed", room.id);
    wait_for(&what, limit, observe, |found| *found == expected).await;
}

/// Waits until devhost has logged a text.
async fn logged(app: &App, text: &str) {
    let what = format!("the log has {text:?}");
    wait_for(&what, SOON, async || app.log(), |log| log.contains(text)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_relay_five_hundred_posts_exactly() {
    let first = app().await;
    let second = App::builder().same_stores_as(first).spawn().await;
    let users = join_all((0..8).map(|_| seen_user(first))).await;
    let rooms = join_all((0..20).map(|_| Room::of(first, users.clone()))).await;
    let apps = [first, &second];
    let writers = users.iter().enumerate().map(|(index, &user)| {
        let rooms = &rooms;
        async move {
            for n in (index..500).step_by(8) {
                rooms[n % 20].say(apps[n / 8 % 2], user, "relayed").await;
            }
        }
    });
    join_all(writers).await;
    for room in &rooms {
        for &user in &users {
            let exact = unread_in_api(first, room, user).await;
            let observe = async || unread_in_redis(first, room, user).await;
            let what = format!("the count of user {user} in Redis is {exact}");
            wait_for(&what, SOON, observe, |count| *count == Some(exact)).await;
        }
    }
    let mut total = 0;
    for room in &rooms {
        let messages = room.messages(first, 100).await;
        total += messages.len();
        assert_eq!(
            stream_ids(first, room).await,
            ids_up_to(messages.len() as i64 + 1)
        );
        for &user in &users {
            let others = messages
                .iter()
                .filter(|message| message["senderId"] != user)
                .count() as i64;
            assert_eq!(unread_in_api(first, room, user).await, others);
            assert_eq!(
                fed(first, user, room).await,
                (1..=messages.len() as i64 + 1).collect()
            );
        }
    }
    assert_eq!(total, 500);
}

#[tokio::test]
async fn a_relay_killed_after_any_of_its_steps_loses_and_repeats_nothing() {
    let mut app = App::builder().own_stores().prepare().await.expect("stores");
    app.devhost().start().await.expect("a start");
    let mut rooms = Vec::new();
    for step in 1..=4 {
        let dying = App::builder()
            .same_stores_as(&app)
            .variable("relay_stop_after", step)
            .prepare()
            .await;
        let dying = dying.expect("a second app");
        app.devhost().kill().await.expect("an end");
        dying.devhost().start().await.expect("a start");
        let room = seen_room(&dying).await;
        room.say(&dying, room.users[0], "one").await;
        let text = format!("relay stops after step {step}");
        logged(&dying, &text).await;
        room.say(&dying, room.users[0], "two").await;
        rooms.push(room);
        app = dying;
    }
    let healed = App::builder().same_stores_as(&app).spawn().await;
    app.devhost().kill().await.expect("an end");
    for room in &rooms {
        room.say(&healed, room.users[0], "three").await;
    }
    // A health check wakes the relay up for the events that the dead ones left behind.
    let observe = async || backlog(&healed).await;
    wait_for("the backlog is empty", AFTER_A_LEASE, observe, |n| *n == 0).await;
    for room in &rooms {
        relayed(&healed, room, 3, SOON).await;
    }
}

#[tokio::test]
async fn a_relay_that_was_down_catches_up_after_the_first_wake_up() {
    let down = App::builder()
        .own_stores()
        .variable("relay_stop_after", 1)
        .spawn()
        .await;
    let (other, room) = (seen_room(&down).await, seen_room(&down).await);
    other.say(&down, other.users[0], "stops the relay").await;
    logged(&down, "relay stops after step 1").await;
    for n in 0..200 {
        room.say(&down, room.users[0], &format!("{n}")).await;
    }
    assert!(backlog(&down).await >= 200);
    let up = App::builder().same_stores_as(&down).spawn().await;
    down.devhost().kill().await.expect("an end");
    room.say(&up, room.users[0], "the wake-up").await;
    relayed(&up, &room, 201, 2 * SOON).await;
}

/// devhost wakes what it subscribes; Spin does not.
#[tokio::test]
async fn a_host_that_starts_delivers_what_waits() {
    let down = App::builder().own_stores().variable("relay_stop_after", 1);
    let down = down.spawn().await;
    let room = seen_room(&down).await;
    room.say(&down, room.users[0], "waits").await;
    logged(&down, "relay stops after step 1").await;
    down.devhost().kill().await.expect("an end");
    let up = App::builder().same_stores_as(&down);
    let _up = up.env("DEVHOST_STRICT", "false").spawn().await;
    // No request is sent; the lease of the killed relay has to expire.
    relayed(&down, &room, 1, AFTER_A_LEASE).await;
}

#[tokio::test]
async fn an_event_of_a_newer_version_waits_for_it_and_delays_no_other() {
    let app = App::builder().own_stores().spawn().await;
    let (newer, other) = (seen_room(&app).await, seen_room(&app).await);
    let postgres = app.postgres().await;
    // A batch that adds a value to an enum cannot use it.
    for statement in [
        "alter type event_type add value 'of-tomorrow'".to_owned(),
        format!(
            "with next as (
                update conversations set event_seq = event_seq + 1 where id = {} returning id, event_seq)
            insert into events (conversation_id, seq, type) select id, event_seq, 'of-tomorrow' from next",
            newer.id
        ),
    ] {
        postgres.batch_execute(&statement).await.expect("a change");
    }
    newer.say(&app, newer.users[0], "waits").await;
    other.say(&app, other.users[0], "goes on").await;
    relayed(&app, &other, 1, SOON).await;
    wait_for(
        "one is left",
        SOON,
        async || backlog(&app).await,
        |n| *n == 2,
    )
    .await;
    let cured = format!(
        "update events set type = 'message-read' where conversation_id = {}
            and type = 'of-tomorrow'",
        newer.id
    );
    postgres.batch_execute(&cured).await.expect("a change");
    let observe = async || backlog(&app).await;
    wait_for("it is delivered", AFTER_A_LEASE, observe, |n| *n == 0).await;
}

#[tokio::test]
async fn data_that_redis_loses_between_posts_is_rebuilt() {
    let app = App::builder().own_stores().spawn().await;
    let room = seen_room(&app).await;
    for n in 0..50 {
        room.say(&app, room.users[0], &format!("{n}")).await;
        if n == 25 {
            let mut redis = app.redis().await;
            let () = redis::cmd("FLUSHALL")
                .query_async(&mut redis)
                .await
                .expect("a flush");
        }
    }
    let observe = async || {
        (
            stream_ids(&app, &room).await.pop(),
            unread_in_redis(&app, &room, room.users[1]).await,
        )
    };
    let expected = (Some("51-0".to_owned()), Some(50));
    let what = "the end of the stream and the count are right";
    wait_for(what, SOON, observe, |found| *found == expected).await;
    assert_eq!(unread_in_api(&app, &room, room.users[1]).await, 50);
    assert_eq!(
        tests::ordinals(&room.messages(&app, 100).await),
        (1..=50).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_list_that_missed_a_post_while_redis_was_away_is_repaired() {
    let app = App::builder().own_stores().spawn().await;
    let room = seen_room(&app).await;
    room.say(&app, room.users[0], "before").await;
    assert_eq!(room.messages(&app, 50).await.len(), 1);
    // Redis keeps the list on disk, and so comes back with it as it was.
    app.stop_redis().await;
    room.say(&app, room.users[0], "during the outage").await;
    assert_eq!(
        room.messages(&app, 50).await.len(),
        2,
        "PostgreSQL answers while Redis is away"
    );
    app.start_redis().await;
    let observe = async || {
        let mut redis = app.redis().await;
        let cached = redis.lrange(room.list_key(), 0, -1).await;
        let cached: Vec<String> = cached.expect("a list");
        (cached.len(), room.messages(&app, 50).await.len())
    };
    let is_right = |(cached, read): &(usize, usize)| *cached != 1 && *read == 2;
    let what = "the stale list is gone and both messages are read";
    wait_for(what, Duration::from_secs(10), observe, is_right).await;
    relayed(&app, &room, 2, Duration::from_secs(10)).await;
}

#[tokio::test]
async fn edits_deletions_joins_and_leaves_reach_the_feeds() {
    let app = app().await;
    let room = seen_room(app).await;
    let newcomer = seen_user(app).await;
    let message = room.say(app, room.users[0], "first").await;
    app.patch(&path_of(&message), json!({ "content": "edited" }))
        .await
        .expect_status(200);
    let participants = format!("/api/v1/conversations/{}/participants", room.id);
    app.post(&participants, json!({ "userId": newcomer }))
        .await
        .expect_status(201);
    app.delete(&path_of(&message)).await.expect_status(204);
    app.delete(&format!("{participants}/{}", room.users[1]))
        .await
        .expect_status(204);
    let observe = async || {
        (
            fed(app, room.users[0], &room).await,
            fed(app, room.users[1], &room).await,
            fed(app, newcomer, &room).await,
        )
    };
    let all: BTreeSet<i64> = (1..=6).collect();
    wait_for("all events are in the feeds", SOON, observe, |found| {
        found.0 == all && found.1 == all && found.2.contains(&6)
    })
    .await;
    let events = entries(app, &format!("conversation:{}:stream", room.id)).await;
    let types: Vec<&Value> = events.iter().map(|(_, event)| &event["type"]).collect();
    assert_eq!(
        types,
        [
            "conversation-created",
            "new-message",
            "message-edited",
            "participant-joined",
            "message-deleted",
            "participant-left"
        ]
    );
    assert_eq!(
        unread_in_redis(app, &room, room.users[1]).await,
        None,
        "a user who left has no count"
    );
}

#[tokio::test]
async fn who_leaves_in_a_long_backlog_is_fed_all_of_it_up_to_their_leaving() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let guest = room.users[1];
    // A reader: only who has been seen has a feed.
    let feed = format!("/api/v1/messages/users/{guest}/events");
    app.events(&feed).await.next_block().await;
    // More events at once than the relay takes at a time, with the leaving behind them.
    let backlog = format!(
        "begin;
        select from conversations where id = {id} for update;
        select post_batch(array_fill({id}::bigint, '{{60}}'), array_fill({host}::bigint, '{{60}}'),
            array_fill('text'::text, '{{60}}'), array_fill(null::text, '{{60}}'),
            array_fill(null::bigint, '{{60}}'), array_fill(null::text, '{{60}}'), false);
        select leave_conversation({id}, {guest}, {guest}, 'a request');
        commit",
        id = room.id,
        host = room.users[0]
    );
    let postgres = app.postgres().await;
    postgres.batch_execute(&backlog).await.expect("a backlog");
    room.say(app, room.users[0], "wakes the relay").await;
    // The first event may be older than the feed.
    let expected: BTreeSet<i64> = (2..=62).collect();
    let observe = async || fed(app, guest, &room).await;
    let all = |found: &BTreeSet<i64>| found.is_superset(&expected);
    wait_for("all is in the feed", AFTER_A_LEASE, observe, all).await;
}
