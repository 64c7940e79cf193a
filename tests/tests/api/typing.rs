//! Typing indicators and their expiry.

use std::time::{Duration, Instant};

use futures::future::join_all;
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::json;
use testkit::{App, Response, app, send, unique_user, wait_for};
use tests::{LossyProxy, Room, Subscription};

/// The TTL of an indicator in the tests of expiry, in seconds.
const TTL: u64 = 2;

fn short_ttl() -> testkit::Builder {
    App::builder().variable("typing_ttl", TTL)
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

async fn subscribe(app: &App, room: &Room) -> Subscription {
    Subscription::open(app, &format!("conversation:{}:typing", room.id)).await
}

#[tokio::test]
async fn an_indicator_is_visible_until_it_is_cleared() {
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
        let ttl: i64 = redis.ttl(&key).await.expect("a TTL");
        assert!((8..=10).contains(&ttl), "the TTL of {key} is {ttl} s");
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
    let events = subscribe(app, &room).await;
    let user = room.users[0];
    for is_typing in [false, true, true, true, false, false] {
        set(app, &room, user, is_typing).await.expect_status(200);
    }
    let published = events.exactly(2, user, Duration::from_secs(5)).await;
    let event = |kind| json!({ "type": kind, "userId": user, "conversationId": room.id });
    assert_eq!(published[0].event, event("typing-start"));
    assert_eq!(published[1].event, event("typing-stop"));
}

/// One user stops typing while others go on, on all of these hosts.
async fn one_stops_while_others_type(hosts: &[&App]) {
    let room = Room::new(hosts[0], 6).await;
    let events = subscribe(hosts[0], &room).await;
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
        let published = events
            .exactly(2, silent, Duration::from_secs(TTL + 2))
            .await;
        let took = published[1].at - last;
        assert!(
            took > Duration::from_millis(TTL * 1000 - 200) && took < Duration::from_secs(TTL + 1),
            "typing-stop after {took:?}"
        );
        // A second typing-stop would arrive in this time.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    };
    tokio::select! {
        () = type_on => {},
        () = watch => {},
    }
    assert_eq!(
        events.types_of_user(silent),
        ["typing-start", "typing-stop"]
    );
    for host in hosts {
        assert_eq!(typing(host, &room).await, others);
    }
    for user in others {
        assert_eq!(events.types_of_user(*user), ["typing-start"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indicator_expires_on_time_while_others_type() {
    one_stops_while_others_type(&[&short_ttl().spawn().await]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_publish_an_expiry_once() {
    let first = short_ttl().spawn().await;
    let second = short_ttl().same_stores_as(&first).spawn().await;
    one_stops_while_others_type(&[&first, &second]).await;
}

/// An app on a Redis that does not publish expired keys. One with many keys publishes them late.
async fn without_keyspace_events() -> App {
    let app = short_ttl().own_stores().spawn().await;
    let () = redis::cmd("CONFIG")
        .arg(&["SET", "notify-keyspace-events", ""])
        .query_async(&mut app.redis().await)
        .await
        .expect("a setting");
    app
}

#[tokio::test]
async fn without_keyspace_events_reads_are_exact_and_publish_the_expiry_once() {
    let app = without_keyspace_events().await;
    let room = Room::new(&app, 2).await;
    let events = subscribe(&app, &room).await;
    types(&app, &room, room.users[0]).await;
    assert_eq!(typing(&app, &room).await, [room.users[0]]);
    tokio::time::sleep(Duration::from_millis(TTL * 1000 + 50)).await;
    let reads = (0..10).map(|_| typing(&app, &room));
    assert!(join_all(reads).await.iter().all(Vec::is_empty));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        events.types_of_user(room.users[0]),
        ["typing-start", "typing-stop"]
    );
}

#[tokio::test]
async fn without_keyspace_events_any_indicator_publishes_an_expiry() {
    let app = without_keyspace_events().await;
    let (room, other) = (Room::new(&app, 2).await, Room::new(&app, 2).await);
    let events = subscribe(&app, &room).await;
    types(&app, &room, room.users[0]).await;
    let limit = Duration::from_secs(TTL + 2);
    let observe = async || {
        types(&app, &other, other.users[0]).await;
        events.types_of_user(room.users[0])
    };
    let both = ["typing-start", "typing-stop"];
    wait_for(
        "another's indicator publishes it",
        limit,
        observe,
        |types| types == &both,
    )
    .await;
    assert_eq!(typing(&app, &other).await, [other.users[0]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_reply_is_lost_reaches_stream_and_feed_once() {
    let first = App::builder().own_stores().spawn().await;
    let room = Room::new(&first, 2).await;
    let user = room.users[0];
    // How the scripts name an indicator that was set, in the protocol of Redis.
    let marker = format!("\n1 {}:{user}\r\n", room.id);
    let proxy = LossyProxy::before_redis(&first, marker).await;
    let app = proxy.route(App::builder().same_stores_as(&first));
    let app = app.spawn().await;
    let events = subscribe(&first, &room).await;
    let feed = format!("/api/v1/messages/users/{}/events", room.users[1]);
    let _feed = first.events(&feed).await;
    // By now the room's own wake-ups are over.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    proxy.lose_next();
    types(&app, &room, user).await;
    assert!(proxy.has_lost(), "no reply was lost");
    let keys = [
        format!("user:{}:feed", room.users[1]),
        format!("conversation:{}:stream", room.id),
    ];
    for key in keys {
        let observe = async || {
            let entries: Vec<(String, Vec<String>)> = redis::cmd("XRANGE")
                .arg(&[&key, "-", "+"])
                .query_async(&mut first.redis().await)
                .await
                .expect("a stream");
            let typing = entries
                .iter()
                .filter(|(_, fields)| fields[1].contains("typing-start"));
            typing.count()
        };
        let once = |count: &usize| *count == 1;
        wait_for("it is there", Duration::from_secs(8), observe, once).await;
    }
    assert_eq!(events.types_of_user(user), ["typing-start"]);
}

#[tokio::test]
async fn typing_is_hidden_from_users_who_do_not_participate() {
    let app = app().await;
    let (room, stranger) = (Room::new(app, 2).await, unique_user());
    let events = subscribe(app, &room).await;
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
    events.exactly(1, stranger, Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_user_who_leaves_between_the_check_and_the_indicator_types_no_more() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let user = room.users[0];
    // The request reads the right from the database, then waits for Redis to cache it.
    let mut redis = app.redis().await;
    let () = redis::cmd("CLIENT")
        .arg(&["PAUSE", "9000", "WRITE"])
        .query_async(&mut redis)
        .await
        .expect("a pause");
    let leave = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let leave = format!(
            "select leave_conversation({}, {user}, null, 'a leave of another host')",
            room.id
        );
        let left = app.postgres().await.batch_execute(&leave).await;
        let mut redis = app.redis().await;
        let () = redis::cmd("CLIENT")
            .arg("UNPAUSE")
            .query_async(&mut redis)
            .await
            .expect("an end of the pause");
        left
    };
    let (answer, left) = tokio::join!(set(&app, &room, user, true), leave);
    left.expect("a leave");
    answer.expect_status(404);
    let member = format!("{}:{user}", room.id);
    let expiry: Option<f64> = redis
        .zscore("typing:by-expiry", member)
        .await
        .expect("a score");
    assert_eq!(expiry, None);
    assert!(typing(&app, &room).await.is_empty());
}

#[tokio::test]
async fn who_types_and_takes_part_no_longer_is_not_listed() {
    let app = app().await;
    let (room, stranger) = (Room::new(app, 2).await, unique_user());
    types(app, &room, room.users[0]).await;
    let mut redis = app.redis().await;
    let member = format!("{}:{stranger}", room.id);
    let () = redis::pipe()
        .zadd("typing:by-expiry", member, 9_000_000_000_000_i64)
        .sadd(format!("conversation:{}:typing", room.id), stranger)
        .query_async(&mut redis)
        .await
        .expect("an indicator");
    assert_eq!(typing(app, &room).await, [room.users[0]]);
}

#[tokio::test]
async fn what_others_wrote_into_the_sets_breaks_nothing() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let mut redis = app.redis().await;
    let plain = format!("conversation:{}:typing", room.id);
    let mut pipe = redis::pipe();
    for garbage in ["garbage", "7", "7:", ":7", "7:0", "7:8:9", "07:8", "7:8x"] {
        pipe.zadd("typing:by-expiry", garbage, 1);
        pipe.sadd(&plain, garbage);
    }
    pipe.zadd("typing:by-expiry", b"\xff".as_slice(), 1);
    pipe.sadd(&plain, b"\xff".as_slice());
    let () = pipe.query_async(&mut redis).await.expect("members");
    types(&app, &room, room.users[0]).await;
    assert_eq!(typing(&app, &room).await, [room.users[0]]);
    let left: usize = redis.zcard("typing:by-expiry").await.expect("a number");
    assert_eq!(left, 1);
    for key in [plain.as_str(), "typing:by-expiry"] {
        tests::replace_with_hash(&app, key).await;
        types(&app, &room, room.users[1]).await;
        assert!(
            typing(&app, &room).await.contains(&room.users[1]),
            "with {key}"
        );
    }
}

#[tokio::test]
async fn errors_name_the_field() {
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
async fn typing_needs_redis_and_postgres_only_for_what_is_not_cached() {
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
