//! Who types: indicators, and the end of their lives.

use std::time::{Duration, Instant};

use futures::future::join_all;
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, Response, app, send, unique_user, wait_until};
use tests::{Listener, Room};

/// Lives in these tests, in seconds.
const LIFE: u64 = 2;

fn brief() -> testkit::Builder {
    App::builder().variable("typing_ttl", LIFE)
}

fn path(room: &Room) -> String {
    format!("/api/v1/messages/conversations/{}/typing", room.id)
}

async fn set(app: &App, room: &Room, user: i64, is_typing: bool) -> Response {
    let body = json!({ "userId": user, "isTyping": is_typing });
    app.post(&path(room), body).await
}

async fn types(app: &App, room: &Room, user: i64) {
    set(app, room, user, true).await.expect_status(200);
}

async fn typing(app: &App, room: &Room) -> Vec<i64> {
    let answer = app.get(&path(room)).await.expect_status(200).json();
    assert_eq!(answer["conversationId"], room.id);
    let users = answer["users"].as_array().expect("an array").iter();
    users.map(|user| user.as_i64().expect("an id")).collect()
}

async fn ear(app: &App, room: &Room) -> Listener {
    Listener::on(app, &format!("conversation:{}:typing", room.id)).await
}

#[tokio::test]
async fn an_indicator_is_seen_until_it_is_taken_back() {
    let app = app().await;
    let room = Room::new(app, 3).await;
    assert!(typing(app, &room).await.is_empty());
    let answer = set(app, &room, room.users[1], true).await;
    assert_eq!(
        answer.expect_status(200).json(),
        json!({ "conversationId": room.id, "userId": room.users[1], "isTyping": true })
    );
    types(app, &room, room.users[0]).await;
    assert_eq!(typing(app, &room).await, room.users[..2]);
    let answer = set(app, &room, room.users[0], false).await;
    assert_eq!(answer.expect_status(200).json()["isTyping"], false);
    assert_eq!(typing(app, &room).await, [room.users[1]]);
}

#[tokio::test]
async fn redis_holds_typing_as_specified() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    types(app, &room, room.users[0]).await;
    let mut redis = app.redis().await;
    let (set_key, user) = (format!("conversation:{}:typing", room.id), room.users[0]);
    let members: Vec<i64> = redis.smembers(&set_key).await.expect("a set");
    assert_eq!(members, [user]);
    for key in [set_key.clone(), format!("{set_key}:{user}")] {
        let life: i64 = redis.ttl(&key).await.expect("a life");
        assert!((8..=10).contains(&life), "{key} lives {life} s");
    }
    set(app, &room, user, false).await.expect_status(200);
    let left: usize = redis
        .exists(&[set_key.clone(), format!("{set_key}:{user}")])
        .await
        .expect("a number");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn events_are_published_on_a_change_only() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let ear = ear(app, &room).await;
    let user = room.users[0];
    for is_typing in [false, true, true, true, false, false] {
        set(app, &room, user, is_typing).await.expect_status(200);
    }
    let heard = ear.exactly(2, user, Duration::from_secs(5)).await;
    let event = |kind| json!({ "type": kind, "userId": user, "conversationId": room.id });
    assert_eq!(heard[0].event, event("typing-start"));
    assert_eq!(heard[1].event, event("typing-stop"));
}

/// Others type on, at any of the hosts, while one user stops.
async fn silence_among_others(hosts: &[&App]) {
    let room = Room::new(hosts[0], 6).await;
    let ear = ear(hosts[0], &room).await;
    let (silent, others) = (room.users[0], &room.users[1..]);
    let type_on = async {
        loop {
            let typists = others.iter().zip(hosts.iter().cycle());
            join_all(typists.map(|(user, host)| types(host, &room, *user))).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    let watch = async {
        types(hosts[0], &room, silent).await;
        let last = Instant::now();
        let heard = ear.exactly(2, silent, Duration::from_secs(LIFE + 2)).await;
        let took = heard[1].at - last;
        assert!(
            took > Duration::from_millis(LIFE * 1000 - 200) && took < Duration::from_secs(LIFE + 1),
            "typing-stop after {took:?}"
        );
        // Long enough for whoever would tell it a second time.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    };
    tokio::select! {
        () = type_on => {},
        () = watch => {},
    }
    assert_eq!(ear.types_of_user(silent), ["typing-start", "typing-stop"]);
    for host in hosts {
        assert_eq!(typing(host, &room).await, others);
    }
    for user in others {
        assert_eq!(ear.types_of_user(*user), ["typing-start"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indicator_ends_on_time_while_others_type() {
    silence_among_others(&[&brief().spawn().await]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_tell_an_end_once() {
    let first = brief().spawn().await;
    let second = brief().same_stores_as(&first).spawn().await;
    silence_among_others(&[&first, &second]).await;
}

/// An app on a Redis that tells nobody of expired keys. One with many keys tells it late.
async fn without_keyspace_events() -> App {
    let app = brief().own_stores().spawn().await;
    let () = redis::cmd("CONFIG")
        .arg(&["SET", "notify-keyspace-events", ""])
        .query_async(&mut app.redis().await)
        .await
        .expect("a setting");
    app
}

#[tokio::test]
async fn without_keyspace_events_reads_are_exact_and_tell_the_end_once() {
    let app = without_keyspace_events().await;
    let room = Room::new(&app, 2).await;
    let ear = ear(&app, &room).await;
    types(&app, &room, room.users[0]).await;
    assert_eq!(typing(&app, &room).await, [room.users[0]]);
    tokio::time::sleep(Duration::from_millis(LIFE * 1000 + 50)).await;
    let reads = (0..10).map(|_| typing(&app, &room));
    assert!(join_all(reads).await.iter().all(Vec::is_empty));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        ear.types_of_user(room.users[0]),
        ["typing-start", "typing-stop"]
    );
}

#[tokio::test]
async fn without_keyspace_events_an_indicator_anywhere_tells_an_end() {
    let app = without_keyspace_events().await;
    let (room, other) = (Room::new(&app, 2).await, Room::new(&app, 2).await);
    let ear = ear(&app, &room).await;
    types(&app, &room, room.users[0]).await;
    let limit = Duration::from_secs(LIFE + 2);
    wait_until("another's indicator tells it", limit, async || {
        types(&app, &other, other.users[0]).await;
        ear.all().len() == 2
    })
    .await;
    assert_eq!(
        ear.types_of_user(room.users[0]),
        ["typing-start", "typing-stop"]
    );
    assert_eq!(typing(&app, &other).await, [other.users[0]]);
}

#[tokio::test]
async fn typing_in_a_conversation_that_one_does_not_take_part_in_is_hidden() {
    let app = app().await;
    let (room, stranger) = (Room::new(app, 2).await, unique_user());
    let ear = ear(app, &room).await;
    set(app, &room, stranger, true).await.expect_status(404);
    let nowhere = Room {
        id: testkit::unique_id(),
        users: vec![],
    };
    set(app, &nowhere, stranger, true).await.expect_status(404);
    app.get(&path(&nowhere)).await.expect_status(404);
    let as_user = |user: i64| format!("{}?userId={user}", path(&room));
    app.get(&as_user(stranger)).await.expect_status(404);
    app.get(&as_user(room.users[0])).await.expect_status(200);
    let joined = format!("/api/v1/conversations/{}/participants", room.id);
    app.post(&joined, json!({ "userId": stranger }))
        .await
        .expect_status(201);
    types(app, &room, stranger).await;
    ear.exactly(1, stranger, Duration::from_secs(5)).await;
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let user = room.users[0];
    for (body, field) in [
        (json!({ "userId": user }), "body"),
        (json!({ "isTyping": true }), "body"),
        (json!({ "userId": "1", "isTyping": true }), "userId"),
        (json!({ "userId": 0, "isTyping": true }), "userId"),
        (json!({ "userId": user, "isTyping": "yes" }), "isTyping"),
        (json!(null), "body"),
    ] {
        let problem = app
            .post(&path(&room), &body)
            .await
            .expect_status(400)
            .json();
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    let post = |content_type: &'static str, body: String| {
        let request = app.request(Method::POST, &path(&room));
        send(request.header("content-type", content_type).body(body))
    };
    post("application/json", "{".into())
        .await
        .expect_status(400);
    post("text/plain", "{}".into()).await.expect_status(415);
    post("application/json", " ".repeat(70_000))
        .await
        .expect_status(413);
    let bad_id = "/api/v1/messages/conversations/x/typing";
    app.get(bad_id).await.expect_status(400);
    app.post(bad_id, json!({ "userId": user, "isTyping": true }))
        .await
        .expect_status(400);
    let answer = app.delete(&path(&room)).await.expect_status(405);
    assert_eq!(answer.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
}

#[tokio::test]
async fn typing_needs_redis_and_of_postgres_only_what_is_cached() {
    let app = App::builder().own_stores().spawn().await;
    let (known, unknown) = (Room::new(&app, 2).await, Room::new(&app, 2).await);
    types(&app, &known, known.users[0]).await;
    app.stop_postgres().await;
    types(&app, &known, known.users[1]).await;
    assert_eq!(typing(&app, &known).await, known.users);
    let unavailable = |answer: Response| {
        let answer = answer.expect_status(503);
        assert!(answer.header("retry-after").is_some(), "{answer}");
    };
    unavailable(set(&app, &unknown, unknown.users[0], true).await);
    app.start_postgres().await;
    types(&app, &unknown, unknown.users[0]).await;
    app.stop_redis().await;
    unavailable(set(&app, &known, known.users[0], true).await);
    unavailable(app.get(&path(&known)).await);
    app.start_redis().await;
    types(&app, &known, known.users[0]).await;
    assert!(typing(&app, &known).await.contains(&known.users[0]));
}

#[tokio::test]
async fn nobody_types_without_an_identity() {
    let app = App::builder().variable("auth_mode", "jwt").spawn().await;
    let room = Room {
        id: 1,
        users: vec![],
    };
    set(&app, &room, 1, true).await.expect_status(401);
    let problem: Value = app.get(&path(&room)).await.expect_status(401).json();
    assert_eq!(problem["status"], 401);
}
