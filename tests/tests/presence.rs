//! Who is online: heartbeats, signing off, and the end of a life.

use std::time::{Duration, Instant};

use futures::future::join_all;
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, app, send, unique_user, wait_until};
use tests::{Listener, Room};

/// Lives in these tests, in seconds.
const LIFE: u64 = 2;

/// An app in which lives are short.
async fn brief() -> App {
    App::builder().variable("presence_ttl", LIFE).spawn().await
}

async fn beat(app: &App, user: i64) {
    let answer = app.post(&of(user, "online"), json!({})).await;
    answer.expect_status(200);
}

async fn status(app: &App, user: i64) -> Value {
    let answer = app.get(&of(user, "online-status")).await;
    answer.expect_status(200).json()
}

fn of(user: i64, what: &str) -> String {
    format!("/api/v1/messages/users/{user}/{what}")
}

async fn is_listed(app: &App, user: i64) -> bool {
    let list = app.get("/api/v1/messages/users/online").await;
    let list = list.expect_status(200).json();
    let users = list["users"].as_array().expect("an array");
    assert_eq!(list["count"], users.len());
    users.contains(&json!(user))
}

async fn is_in_the_plain_set(app: &App, user: i64) -> bool {
    let members = app.redis().await.sismember("users:online", user).await;
    members.expect("a set")
}

#[tokio::test]
async fn a_user_is_online_from_a_heartbeat_until_they_sign_off() {
    let (app, user) = (app().await, unique_user());
    assert_eq!(
        status(app, user).await,
        json!({ "userId": user, "online": false, "lastSeen": null })
    );
    let answer = app.post(&of(user, "online"), json!({})).await;
    assert_eq!(
        answer.expect_status(200).json(),
        json!({ "userId": user, "online": true, "expiresInSeconds": 300 })
    );
    assert!(is_listed(app, user).await);
    let online = status(app, user).await;
    assert_eq!(online["online"], true);
    let answer = app.post(&of(user, "offline"), json!({})).await;
    assert_eq!(
        answer.expect_status(200).json(),
        json!({ "userId": user, "online": false })
    );
    assert!(!is_listed(app, user).await);
    let offline = status(app, user).await;
    assert_eq!(offline["online"], false);
    let (before, after) = (&online["lastSeen"], &offline["lastSeen"]);
    assert!(
        before.as_str().expect("a time") <= after.as_str().expect("a time"),
        "{before} {after}"
    );
}

#[tokio::test]
async fn redis_holds_presence_as_specified() {
    let (app, user) = (app().await, unique_user());
    beat(app, user).await;
    let mut redis = app.redis().await;
    let marker = format!("user:{user}:online");
    let (kind, life): (String, i64) = redis::pipe()
        .cmd("TYPE")
        .arg(&marker)
        .ttl(&marker)
        .query_async(&mut redis)
        .await
        .expect("a marker");
    assert_eq!(kind, "string");
    assert!((295..=300).contains(&life), "{life}");
    assert!(is_in_the_plain_set(app, user).await);
    let life: i64 = redis.ttl("users:online").await.expect("a life");
    assert!((1..=300).contains(&life), "{life}");
    app.post(&of(user, "offline"), json!({})).await;
    assert!(!is_in_the_plain_set(app, user).await);
    assert!(!redis.exists::<_, bool>(marker).await.expect("an answer"));
}

#[tokio::test]
async fn events_are_published_on_a_change_and_not_on_every_heartbeat() {
    let (app, user) = (app().await, unique_user());
    let ear = Listener::on(app, &format!("user:{user}:presence")).await;
    for path in [
        "offline", "online", "online", "online", "offline", "offline",
    ] {
        app.post(&of(user, path), json!({}))
            .await
            .expect_status(200);
    }
    let heard = ear.exactly(2, user, Duration::from_secs(5)).await;
    assert_eq!(ear.types_of_user(user), ["online", "offline"]);
    for heard in heard {
        let timestamp = heard.event["timestamp"].as_str().expect("a time");
        assert_eq!(
            (timestamp.len(), &timestamp[19..20]),
            (24, "."),
            "{timestamp}"
        );
    }
}

#[tokio::test]
async fn one_of_many_concurrent_first_heartbeats_is_the_change() {
    let (app, user) = (app().await, unique_user());
    let ear = Listener::on(app, &format!("user:{user}:presence")).await;
    join_all((0..30).map(|_| beat(app, user))).await;
    app.post(&of(user, "offline"), json!({})).await;
    ear.exactly(2, user, Duration::from_secs(5)).await;
    assert_eq!(ear.types_of_user(user), ["online", "offline"]);
}

/// Beats for 50 others, at any of the hosts, while one user is silent.
async fn silence_among_fifty(hosts: &[&App]) {
    let ear = Listener::on(hosts[0], "user:*:presence").await;
    let others: Vec<i64> = (0..50).map(|_| unique_user()).collect();
    let silent = unique_user();
    let beats = async {
        loop {
            let beats = others.iter().zip(hosts.iter().cycle());
            join_all(beats.map(|(user, host)| beat(host, *user))).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let watch = async {
        beat(hosts[0], silent).await;
        let last = Instant::now();
        let heard = ear.exactly(2, silent, Duration::from_secs(LIFE + 2)).await;
        let took = heard[1].at - last;
        assert!(
            took > Duration::from_millis(LIFE * 1000 - 200) && took < Duration::from_secs(LIFE + 1),
            "offline after {took:?}"
        );
        // Long enough for whoever would tell it a second time.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    };
    tokio::select! {
        () = beats => {},
        () = watch => {},
    }
    assert_eq!(ear.types_of_user(silent), ["online", "offline"]);
    for host in hosts {
        assert_eq!(status(host, silent).await["online"], false);
        assert!(!is_listed(host, silent).await);
    }
    assert!(!is_in_the_plain_set(hosts[0], silent).await);
    for user in others {
        assert_eq!(
            ear.types_of_user(user),
            ["online"],
            "of one who keeps beating"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whose_heartbeats_stop_goes_offline_on_time_while_fifty_others_beat() {
    silence_among_fifty(&[&brief().await]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_tell_an_expiry_once() {
    let first = brief().await;
    let second = App::builder()
        .variable("presence_ttl", LIFE)
        .same_stores_as(&first)
        .spawn()
        .await;
    silence_among_fifty(&[&first, &second]).await;
}

/// An app on stores of its own, without keyspace events, and a second replica.
async fn two_without_keyspace_events() -> (App, App) {
    let builder = || App::builder().variable("presence_ttl", LIFE);
    let first = builder().own_stores().spawn().await;
    let second = builder().same_stores_as(&first).spawn().await;
    let () = redis::cmd("CONFIG")
        .arg(&["SET", "notify-keyspace-events", ""])
        .query_async(&mut first.redis().await)
        .await
        .expect("a setting");
    (first, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keyspace_events_reads_are_exact_and_tell_the_expiry_once() {
    let (first, second) = two_without_keyspace_events().await;
    let ear = Listener::on(&first, "user:*:presence").await;
    let (user, other) = (unique_user(), unique_user());
    beat(&first, user).await;
    let until = Instant::now() + Duration::from_secs(LIFE);
    assert_eq!(status(&second, user).await["online"], true);
    tokio::time::sleep_until((until + Duration::from_millis(50)).into()).await;
    beat(&first, other).await;
    let reads = (0..20).map(async |n| {
        let host = if n % 2 == 0 { &first } else { &second };
        assert!(!is_listed(host, user).await);
        assert_eq!(status(host, user).await["online"], false);
    });
    join_all(reads).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ear.types_of_user(user), ["online", "offline"]);
    assert!(!is_in_the_plain_set(&first, user).await);
}

#[tokio::test]
async fn without_keyspace_events_the_next_heartbeat_of_anybody_tells_an_expiry() {
    let (first, _) = two_without_keyspace_events().await;
    let ear = Listener::on(&first, "user:*:presence").await;
    let (silent, other) = (unique_user(), unique_user());
    beat(&first, silent).await;
    wait_until(
        "another's heartbeat tells it",
        Duration::from_secs(LIFE + 2),
        async || {
            beat(&first, other).await;
            ear.of_user(silent).len() == 2
        },
    )
    .await;
    assert_eq!(ear.types_of_user(silent), ["online", "offline"]);
    assert!(!is_in_the_plain_set(&first, silent).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_lives_that_end_at_once_are_all_told_and_never_listed() {
    let (first, _) = two_without_keyspace_events().await;
    let ear = Listener::on(&first, "user:*:presence").await;
    let users: Vec<i64> = (0..250).map(|_| unique_user()).collect();
    join_all(users.iter().map(|user| beat(&first, *user))).await;
    tokio::time::sleep(Duration::from_millis(LIFE * 1000 + 50)).await;
    let told = || {
        ear.all()
            .iter()
            .filter(|heard| heard.event["type"] == "offline")
            .count()
    };
    wait_until("all are told", Duration::from_secs(5), async || {
        let list = first.get("/api/v1/messages/users/online").await.json();
        assert_eq!(list["count"], 0);
        told() == users.len()
    })
    .await;
    for user in users {
        assert_eq!(ear.types_of_user(user), ["online", "offline"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_come_back_as_their_life_ends_are_told_in_order() {
    let app = App::builder().variable("presence_ttl", 1).spawn().await;
    let ear = Listener::on(&app, "user:*:presence").await;
    let users: Vec<i64> = (0..20).map(|_| unique_user()).collect();
    let beats = users.iter().enumerate().map(async |(n, user)| {
        for round in 0..4 {
            beat(&app, *user).await;
            // From well before the end of the life to well after it.
            let pause = 985 + (n as u64 * 7 + round * 3) % 45;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        beat(&app, *user).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(status(&app, *user).await["online"], true);
        assert!(is_in_the_plain_set(&app, *user).await);
        assert_eq!(ear.types_of_user(*user).last().expect("an event"), "online");
    });
    join_all(beats).await;
    let mut expiries = 0;
    for user in &users {
        let all_offline = async || ear.types_of_user(*user).last().expect("an event") == "offline";
        wait_until("all are offline", Duration::from_secs(2), all_offline).await;
        let types = ear.types_of_user(*user);
        expiries += types.len() / 2;
        for pair in types.chunks(2) {
            assert_eq!(pair, ["online", "offline"], "in {types:?}");
        }
        assert!(!is_in_the_plain_set(&app, *user).await);
    }
    assert!(expiries > users.len(), "nobody came back after an expiry");
}

#[tokio::test]
async fn a_change_reaches_the_feeds_of_those_who_share_a_conversation() {
    let app = app().await;
    let (room, stranger) = (Room::new(app, 2).await, unique_user());
    for path in ["online", "offline"] {
        app.post(&of(room.users[0], path), json!({})).await;
    }
    let mut redis = app.redis().await;
    let feed = format!("user:{}:feed", room.users[1]);
    wait_until("both are in the feed", Duration::from_secs(5), async || {
        let told = feed_types(&mut redis, &feed, room.users[0]).await;
        told == ["online", "offline"]
    })
    .await;
    let stranger = format!("user:{stranger}:feed");
    assert!(
        feed_types(&mut redis, &stranger, room.users[0])
            .await
            .is_empty()
    );
}

/// The types of what a feed tells of a user.
async fn feed_types(
    redis: &mut redis::aio::MultiplexedConnection,
    feed: &str,
    user: i64,
) -> Vec<String> {
    let entries: Vec<(String, Vec<String>)> = redis::cmd("XRANGE")
        .arg(&[feed, "-", "+"])
        .query_async(redis)
        .await
        .expect("a stream");
    let events = entries
        .iter()
        .map(|(_, fields)| serde_json::from_str::<Value>(&fields[1]).expect("JSON"));
    events
        .filter(|event| event["userId"] == user)
        .map(|event| event["type"].as_str().expect("a type").to_owned())
        .collect()
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let (app, user) = (app().await, unique_user());
    for id in ["x", "0", "-1", "1.5", "9007199254740992"] {
        for (method, what) in [
            (Method::POST, "online"),
            (Method::POST, "offline"),
            (Method::GET, "online-status"),
        ] {
            let path = format!("/api/v1/messages/users/{id}/{what}");
            let problem = send(app.request(method, &path)).await.expect_status(400);
            assert_eq!(problem.json()["errors"][0]["field"], "userId");
        }
    }
    for (method, path, allow) in [
        (Method::PUT, of(user, "online"), "POST, OPTIONS"),
        (Method::GET, of(user, "offline"), "POST, OPTIONS"),
        (Method::POST, of(user, "online-status"), "GET, HEAD, OPTIONS"),
        (Method::POST, "/api/v1/messages/users/online".into(), "GET, HEAD, OPTIONS"),
    ] {
        let answer = send(app.request(method, &path)).await.expect_status(405);
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
}

#[tokio::test]
async fn nobody_learns_or_changes_presence_without_an_identity() {
    let app = App::builder().variable("auth_mode", "jwt").spawn().await;
    app.post(&of(1, "online"), json!({}))
        .await
        .expect_status(401);
    app.post(&of(1, "offline"), json!({}))
        .await
        .expect_status(401);
    app.get(&of(1, "online-status")).await.expect_status(401);
    app.get("/api/v1/messages/users/online")
        .await
        .expect_status(401);
}

#[tokio::test]
async fn presence_is_unavailable_while_redis_is_down_and_comes_back_with_it() {
    let app = App::builder().own_stores().spawn().await;
    let user = unique_user();
    beat(&app, user).await;
    app.stop_redis().await;
    for (method, path) in [
        (Method::POST, of(user, "online")),
        (Method::POST, of(user, "offline")),
        (Method::GET, of(user, "online-status")),
        (Method::GET, "/api/v1/messages/users/online".into()),
    ] {
        let answer = send(app.request(method, &path)).await.expect_status(503);
        assert!(answer.header("retry-after").is_some(), "{path}");
    }
    app.start_redis().await;
    beat(&app, user).await;
    assert_eq!(status(&app, user).await["online"], true);
}
