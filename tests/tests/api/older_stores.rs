//! A store that comes back older than it was, or takes reads and refuses writes.

use std::time::Duration;

use dev_services::flush;
use messaging::keys;

use redis::AsyncCommands;
use reqwest::Method;
use serde_json::json;
use testkit::{App, send, wait_for};
use tests::{Room, path_of};

fn list_of(room: &Room, user: i64) -> String {
    format!("/api/v1/messages?conversationId={}&userId={user}", room.id)
}

async fn command(app: &App, words: &[&str]) {
    let mut redis = app.redis().await;
    let () = redis::cmd(words[0])
        .arg(&words[1..])
        .query_async(&mut redis)
        .await
        .expect("Redis takes the command");
}

/// Reads the list until it comes from the cache.
async fn cached(app: &App, room: &Room, user: i64) {
    let observe = async || {
        let list = app.get(&list_of(room, user)).await.expect_status(200);
        list.header("x-cache").map(str::to_owned)
    };
    let hit = |found: &Option<String>| found.as_deref() == Some("hit");
    wait_for("the list is cached", Duration::from_secs(20), observe, hit).await;
}

async fn remove(app: &App, room: &Room, user: i64) {
    let path = format!("/api/v1/conversations/{}/participants/{user}", room.id);
    app.delete(&path).await.expect_status(204);
}

async fn delete(app: &App, message: &serde_json::Value, user: i64) {
    let path = format!("{}?userId={user}", path_of(message));
    let request = app.request(Method::DELETE, &path);
    send(request).await.expect_status(204);
}

#[tokio::test]
async fn a_redis_restored_from_a_snapshot_shows_nothing_of_it() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let (host, guest) = (room.users[0], room.users[1]);
    let message = room.say(&app, host, "PRIVILEGED").await;
    for user in [host, guest] {
        cached(&app, &room, user).await;
    }
    app.get(&format!("{}?userId={host}", path_of(&message)))
        .await
        .expect_status(200);
    let snapshot = app.snapshot_redis().await;
    delete(&app, &message, host).await;
    remove(&app, &room, guest).await;
    app.kill_redis().await;
    app.restore_redis(&snapshot);
    app.start_redis().await;
    for _ in 0..20 {
        app.get(&list_of(&room, guest)).await.expect_status(404);
        let list = app.get(&list_of(&room, host)).await.expect_status(200);
        assert!(!list.text().contains("PRIVILEGED"), "{}", list.text());
        let single = app
            .get(&format!("{}?userId={host}", path_of(&message)))
            .await;
        assert!(!single.text().contains("PRIVILEGED"), "{}", single.text());
    }
    room.say(&app, host, "later").await;
    let list = app.get(&list_of(&room, host)).await.expect_status(200);
    assert!(list.text().contains("later"), "{}", list.text());
}

#[tokio::test]
async fn a_redis_that_refuses_writes_is_used_as_a_cache_by_no_host() {
    let first = App::builder().own_stores().spawn().await;
    let second = App::builder().same_stores_as(&first).spawn().await;
    let room = Room::new(&first, 2).await;
    let (host, guest) = (room.users[0], room.users[1]);
    let message = room.say(&first, host, "PRIVILEGED").await;
    for app in [&first, &second] {
        cached(app, &room, host).await;
        cached(app, &room, guest).await;
    }
    command(&first, &["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
    room.say(&first, host, "during the refusal").await;
    for app in [&first, &second] {
        let list = app
            .get(&list_of(&room, host))
            .await
            .expect_status(200)
            .text();
        assert!(list.contains("during the refusal"), "{list}");
    }
    delete(&first, &message, host).await;
    remove(&first, &room, guest).await;
    for app in [&first, &second] {
        let list = app
            .get(&list_of(&room, host))
            .await
            .expect_status(200)
            .text();
        assert!(!list.contains("PRIVILEGED"), "{list}");
        app.get(&list_of(&room, guest)).await.expect_status(404);
    }
    command(&first, &["CONFIG", "SET", "min-replicas-to-write", "0"]).await;
    for app in [&first, &second] {
        cached(app, &room, host).await;
        let list = app
            .get(&list_of(&room, host))
            .await
            .expect_status(200)
            .text();
        assert!(!list.contains("PRIVILEGED"), "{list}");
        assert!(list.contains("during the refusal"), "{list}");
        app.get(&list_of(&room, guest)).await.expect_status(404);
    }
}

#[tokio::test]
async fn values_of_another_app_under_our_keys_are_absent() {
    let app = testkit::app().await;
    let room = Room::new(app, 2).await;
    let message = room.say(app, room.users[0], "ours").await;
    let (list, single) = (room.list_key(), format!("message:{}", message["id"]));
    let conversation = format!("conversation:{}", room.id);
    for words in [
        vec!["SET", &*single, "not json"],
        vec!["SET", &*conversation, "not json"],
        vec!["DEL", &*list],
        vec!["RPUSH", &*list, "foreign", "values"],
    ] {
        command(app, &words).await;
    }
    for _ in 0..3 {
        let found = app.get(&path_of(&message)).await.expect_status(200).json();
        assert_eq!(found["content"], "ours");
        assert_eq!(room.messages(app, 50).await[0]["content"], "ours");
        let path = format!("/api/v1/conversations/{}", room.id);
        assert_eq!(
            app.get(&path).await.expect_status(200).json()["id"],
            room.id
        );
    }
    command(app, &["DEL", &list]).await;
    command(app, &["SET", &list, "a string"]).await;
    room.say(app, room.users[0], "second").await;
    assert_eq!(room.messages(app, 50).await.len(), 2);
    let body = json!({});
    let path = format!("/api/v1/messages/users/{}/online", room.users[0]);
    app.post(&path, body).await.expect_status(200);
}

#[tokio::test]
async fn unread_counts_are_right_again_in_a_redis_that_lost_them_or_came_back_older() {
    let app = App::builder().own_stores().spawn().await;
    let (room, other) = (Room::new(&app, 2).await, Room::new(&app, 2).await);
    let (host, guest) = (room.users[0], room.users[1]);
    let first = room.say(&app, host, "read").await;
    let path = format!("/api/v1/messages/messages/{}/read", first["id"]);
    app.post(&path, json!({ "userId": guest }))
        .await
        .expect_status(200);
    room.say(&app, host, "unread").await;
    unread_is(&app, &room, guest, Some(1)).await;
    let snapshot = app.snapshot_redis().await;

    command(&app, &["FLUSHALL"]).await;
    // An event of another conversation wakes the relay.
    other.say(&app, other.users[0], "hello").await;
    unread_is(&app, &room, guest, Some(1)).await;

    room.say(&app, host, "unread too").await;
    unread_is(&app, &room, guest, Some(2)).await;
    remove(&app, &room, host).await;
    unread_is(&app, &room, host, None).await;
    app.kill_redis().await;
    app.restore_redis(&snapshot);
    app.start_redis().await;
    other.say(&app, other.users[0], "hello again").await;
    unread_is(&app, &room, guest, Some(2)).await;
    unread_is(&app, &room, host, None).await;
}

async fn unread_is(app: &App, room: &Room, user: i64, count: Option<i64>) {
    let key = format!("conversation:{}:unread:{user}", room.id);
    let observe = async || -> Option<i64> {
        let mut redis = app.redis().await;
        let found = redis::cmd("GET").arg(&key).query_async(&mut redis).await;
        found.expect("Redis answers")
    };
    let what = format!("{key} is {count:?}");
    wait_for(&what, Duration::from_secs(20), observe, |found| {
        *found == count
    })
    .await;
}

#[test]
fn what_is_derived_from_postgres_is_known_by_its_key() {
    let (conversation, user) = ("7".parse().expect("an id"), "9".parse().expect("an id"));
    let message = "8".parse().expect("an id");
    let derived = [
        keys::messages(conversation),
        keys::messages_state(conversation),
        keys::messages_page(conversation),
        keys::message(message),
        keys::message_version(message),
        keys::conversation(conversation),
        keys::rights(conversation),
        keys::unread(conversation, user),
        keys::stream(conversation),
        keys::stream_signal(conversation),
        keys::feed(user),
        keys::feed_seqs(user),
        keys::unread_restored().to_owned(),
        keys::relay_flag().to_owned(),
        keys::cache_lease().to_owned(),
    ];
    let only_here = [
        keys::online(user),
        keys::users_online().to_owned(),
        keys::users_online_by_expiry().to_owned(),
        keys::devices(user),
        keys::last_seen().to_owned(),
        keys::presence_signals().to_owned(),
        keys::typing(conversation),
        keys::typing_user(conversation, user),
        keys::typing_by_expiry().to_owned(),
        keys::streams_of_user(user),
        keys::ticket([0; 32]),
        keys::rate_of_user(user),
        "conversation:x".to_owned(),
        "other".to_owned(),
    ];
    for key in derived {
        assert!(flush::is_derived(&key), "{key}");
    }
    for key in only_here {
        assert!(!flush::is_derived(&key), "{key}");
    }
}

#[test]
fn what_has_texts_is_known_by_its_key() {
    let (conversation, user) = ("7".parse().expect("an id"), "9".parse().expect("an id"));
    let message = "8".parse().expect("an id");
    for key in [
        keys::messages(conversation),
        keys::messages_state(conversation),
        keys::messages_page(conversation),
        keys::message(message),
        keys::conversation(conversation),
        keys::rights(conversation),
        keys::assistant(conversation, "0a"),
    ] {
        assert!(flush::has_texts(&key), "{key}");
    }
    for key in [
        keys::message_version(message),
        keys::unread(conversation, user),
        keys::stream(conversation),
        keys::typing(conversation),
        keys::feed(user),
        "conversation:x".to_owned(),
        "{conversation:x}:rights".to_owned(),
    ] {
        assert!(!flush::has_texts(&key), "{key}");
    }
}

/// What a backup of PostgreSQL from before the second message has.
const BACK: &str = "
    delete from events where message_id in (select id from messages where ordinal = 2);
    delete from messages where ordinal = 2;
    update participants set sent_after_read = sent_after_read - 1 where sent_after_read > 0;
    update relay_progress set relayed_seq = relayed_seq - 1;
    update conversations set message_count = 1, event_seq = event_seq - 1, list_seq = event_seq - 1,
        relayed_seq = event_seq - 1";

#[tokio::test]
async fn redis_is_emptied_of_what_an_older_postgres_does_not_have() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let (user, reader) = (room.users[0], room.users[1]);
    let path = format!("/api/v1/messages/users/{reader}/online");
    app.post(&path, json!({})).await.expect_status(200);
    for text in ["first", "second"] {
        room.say(&app, user, text).await;
    }
    let unread = format!("conversation:{}:unread:{reader}", room.id);
    let counted = async |expected: &str| {
        let observe = async || app.redis().await.get(&unread).await.expect("an answer");
        let is_it = |found: &Option<String>| found.as_deref() == Some(expected);
        wait_for("the count", Duration::from_secs(10), observe, is_it).await;
    };
    counted("2").await;
    cached(&app, &room, user).await;
    let database = app.postgres().await;
    database.batch_execute(BACK).await.expect("statements");
    let deleted = flush::flush(app.redis_url()).await.expect("a number");
    assert!(deleted > 3, "{deleted}");
    let texts = async || {
        let list = app.get(&list_of(&room, user)).await.expect_status(200);
        let list = list.json();
        let list = list.as_array().expect("an array").iter();
        list.map(|message| message["content"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts().await, ["first"]);
    counted("1").await;
    let feed = format!("/api/v1/messages/users/{reader}/events");
    let mut feed = app.events(&feed).await;
    room.say(&app, user, "other").await;
    let event = feed.next_of("new-message").await.json();
    assert_eq!(event["message"]["content"], "other");
    counted("2").await;
    let path = format!("/api/v1/messages/users/{reader}/online-status");
    let status = app.get(&path).await.expect_status(200).json();
    assert_eq!(status["online"], true);
}
