//! Presence: heartbeats, going offline, and expiry.

use std::time::{Duration, Instant};

use futures::future::join_all;
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, EventStream, app, send, unique_user, wait_for};
use tests::{LossyProxy, Room, Subscription, token};

/// The TTL of presence in the tests of expiry, in seconds.
const TTL: u64 = 2;

async fn short_ttl() -> App {
    App::builder().variable("presence_ttl", TTL).spawn().await
}

async fn beat(app: &App, user: i64) {
    let answer = app.post(&path(user, "online"), json!({})).await;
    answer.expect_status(200);
}

async fn status(app: &App, user: i64) -> Value {
    let answer = app.get(&path(user, "online-status")).await;
    answer.expect_status(200).json()
}

fn path(user: i64, action: &str) -> String {
    format!("/api/v1/messages/users/{user}/{action}")
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

/// Waits until the plain set has the user, or no longer: it follows an event that is seen one round trip
/// later.
async fn plain_set_follows(app: &App, user: i64, is_member: bool) {
    let observe = async || is_in_the_plain_set(app, user).await;
    let limit = Duration::from_secs(5);
    wait_for("the plain set follows", limit, observe, |found| {
        *found == is_member
    })
    .await;
}

#[tokio::test]
async fn a_user_is_online_from_a_heartbeat_until_offline_is_called() {
    let (app, user) = (app().await, unique_user());
    assert_eq!(
        status(app, user).await,
        json!({ "userId": user, "online": false, "lastSeen": null })
    );
    let answer = app.post(&path(user, "online"), json!({})).await;
    assert_eq!(
        answer.expect_status(200).json(),
        json!({ "userId": user, "online": true, "expiresInSeconds": 300 })
    );
    assert!(is_listed(app, user).await);
    let online = status(app, user).await;
    assert_eq!(online["online"], true);
    let answer = app.post(&path(user, "offline"), json!({})).await;
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
async fn a_user_sees_the_presence_of_contacts_and_of_themselves_only() {
    let app = token::closed().spawn().await;
    let create = "/api/v1/conversations";
    let [viewer, contact, stranger] = [(); 3].map(|()| unique_user());
    let request = async |method: Method, path: &str, authorization: &str, body: Value| {
        let request = app.request(method, path).json(&body);
        send(request.header("authorization", authorization)).await
    };
    for users in [[viewer, contact], [contact, stranger]] {
        let body = json!({ "participantIds": users });
        let created = request(Method::POST, create, &token::service(), body).await;
        created.expect_status(201);
    }
    for user in [viewer, contact, stranger] {
        let path = path(user, "online");
        let beat = request(Method::POST, &path, &token::user(user), json!({})).await;
        beat.expect_status(200);
    }
    for (authorization, seen) in [
        (token::user(viewer), vec![viewer, contact]),
        (token::user(contact), vec![viewer, contact, stranger]),
        (token::user(stranger), vec![contact, stranger]),
        (token::user(unique_user()), vec![]),
        (token::service(), vec![viewer, contact, stranger]),
    ] {
        let list = "/api/v1/messages/users/online";
        let list = request(Method::GET, list, &authorization, json!({})).await;
        let list = list.expect_status(200).json();
        let listed = |user: &i64| {
            list["users"]
                .as_array()
                .is_some_and(|l| l.contains(&json!(user)))
        };
        for user in [viewer, contact, stranger] {
            let is_seen = seen.contains(&user);
            assert_eq!(listed(&user), is_seen, "{user} in {list}");
            let path = path(user, "online-status");
            let status = request(Method::GET, &path, &authorization, json!({})).await;
            let status = status.expect_status(200).json();
            assert_eq!(status["online"], is_seen);
            assert_eq!(status["lastSeen"].is_string(), is_seen, "{status}");
        }
    }
}

#[tokio::test]
async fn in_open_mode_the_query_names_the_viewer() {
    let app = app().await;
    let (room, stranger) = (Room::new(app, 2).await, unique_user());
    beat(app, room.users[0]).await;
    for (viewer, online) in [(room.users[1], true), (stranger, false)] {
        let path = format!("{}?userId={viewer}", path(room.users[0], "online-status"));
        let status = app.get(&path).await.expect_status(200).json();
        assert_eq!(status["online"], online);
        let list = format!("/api/v1/messages/users/online?userId={viewer}");
        let list = app.get(&list).await.expect_status(200).json();
        let expected = if online {
            json!([room.users[0]])
        } else {
            json!([])
        };
        assert_eq!(list["users"], expected);
    }
    assert!(is_listed(app, room.users[0]).await);
}

#[tokio::test]
async fn redis_holds_presence_as_specified() {
    let (app, user) = (app().await, unique_user());
    beat(app, user).await;
    let mut redis = app.redis().await;
    let marker = format!("user:{user}:online");
    let (kind, ttl): (String, i64) = redis::pipe()
        .cmd("TYPE")
        .arg(&marker)
        .ttl(&marker)
        .query_async(&mut redis)
        .await
        .expect("a marker");
    assert_eq!(kind, "string");
    assert!((295..=300).contains(&ttl), "{ttl}");
    assert!(is_in_the_plain_set(app, user).await);
    let ttl: i64 = redis.ttl("users:online").await.expect("a TTL");
    assert!((1..=300).contains(&ttl), "{ttl}");
    app.post(&path(user, "offline"), json!({})).await;
    assert!(!is_in_the_plain_set(app, user).await);
    assert!(!redis.exists::<_, bool>(marker).await.expect("an answer"));
}

#[tokio::test]
async fn events_are_published_on_a_change_and_not_on_every_heartbeat() {
    let (app, user) = (app().await, unique_user());
    let events = Subscription::open(app, &format!("user:{user}:presence")).await;
    for action in [
        "offline", "online", "online", "online", "offline", "offline",
    ] {
        app.post(&path(user, action), json!({}))
            .await
            .expect_status(200);
    }
    let published = events.exactly(2, user, Duration::from_secs(5)).await;
    assert_eq!(events.types_of_user(user), ["online", "offline"]);
    for published in published {
        let timestamp = published.event["timestamp"].as_str().expect("a time");
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
    let events = Subscription::open(app, &format!("user:{user}:presence")).await;
    join_all((0..30).map(|_| beat(app, user))).await;
    app.post(&path(user, "offline"), json!({})).await;
    events.exactly(2, user, Duration::from_secs(5)).await;
    assert_eq!(events.types_of_user(user), ["online", "offline"]);
}

/// One user sends no more heartbeats while 50 others do, to all of these hosts.
async fn one_is_silent_among_fifty(hosts: &[&App]) {
    let events = Subscription::open(hosts[0], "user:*:presence").await;
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
        let sent = Instant::now();
        beat(hosts[0], silent).await;
        let answered = Instant::now();
        let published = events
            .exactly(2, silent, Duration::from_secs(TTL + 2))
            .await;
        let offline = published[1].at;
        assert!(
            offline > sent + Duration::from_millis(TTL * 1000 - 200),
            "offline {:?} after it was sent",
            offline - sent
        );
        assert!(
            offline < answered + Duration::from_secs(TTL + 1),
            "offline {:?} after it was answered",
            offline - answered
        );
        // A second event would arrive in this time.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    };
    tokio::select! {
        () = beats => {},
        () = watch => {},
    }
    assert_eq!(events.types_of_user(silent), ["online", "offline"]);
    for host in hosts {
        assert_eq!(status(host, silent).await["online"], false);
        assert!(!is_listed(host, silent).await);
    }
    plain_set_follows(hosts[0], silent, false).await;
    for user in others {
        assert_eq!(
            events.types_of_user(user),
            ["online"],
            "of a user whose heartbeats go on"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_goes_offline_on_time_while_fifty_others_send_heartbeats() {
    one_is_silent_among_fifty(&[&short_ttl().await]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_in_another_database_is_published_on_time() {
    // Others' wake-ups, which are heard in all databases, would make its relay reap.
    let first = App::builder().own_stores().spawn().await;
    let app = App::builder()
        .variable("presence_ttl", TTL)
        .variable("redis_url", format!("{}/3", first.data().redis_url()))
        .variable("redis_database", 3)
        .same_stores_as(&first)
        .spawn()
        .await;
    let user = unique_user();
    let events = Subscription::open(&app, &format!("user:{user}:presence")).await;
    beat(&app, user).await;
    let last = Instant::now();
    // No other request notices the expiry.
    let published = events.exactly(2, user, Duration::from_secs(TTL + 2)).await;
    let took = published[1].at - last;
    assert!(
        took < Duration::from_secs(TTL + 1),
        "offline after {took:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_publish_an_expiry_once() {
    let first = short_ttl().await;
    let second = App::builder()
        .variable("presence_ttl", TTL)
        .same_stores_as(&first)
        .spawn()
        .await;
    one_is_silent_among_fifty(&[&first, &second]).await;
}

/// An app with its own stores, without keyspace events, and a second replica.
async fn two_without_keyspace_events() -> (App, App) {
    let builder = || App::builder().variable("presence_ttl", TTL);
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
async fn without_keyspace_events_reads_are_exact_and_publish_the_expiry_once() {
    let (first, second) = two_without_keyspace_events().await;
    let events = Subscription::open(&first, "user:*:presence").await;
    let (user, other) = (unique_user(), unique_user());
    beat(&first, user).await;
    let until = Instant::now() + Duration::from_secs(TTL);
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
    assert_eq!(events.types_of_user(user), ["online", "offline"]);
    plain_set_follows(&first, user, false).await;
}

#[tokio::test]
async fn without_keyspace_events_any_heartbeat_publishes_an_expiry() {
    let (first, _) = two_without_keyspace_events().await;
    let events = Subscription::open(&first, "user:*:presence").await;
    let (silent, other) = (unique_user(), unique_user());
    beat(&first, silent).await;
    let observe = async || {
        beat(&first, other).await;
        events.types_of_user(silent)
    };
    let (what, limit) = (
        "another's heartbeat publishes it",
        Duration::from_secs(TTL + 2),
    );
    wait_for(what, limit, observe, |types| {
        types == &["online", "offline"]
    })
    .await;
    plain_set_follows(&first, silent, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_simultaneous_expiries_are_all_published_and_never_listed() {
    let (first, _) = two_without_keyspace_events().await;
    let events = Subscription::open(&first, "user:*:presence").await;
    let users: Vec<i64> = (0..250).map(|_| unique_user()).collect();
    join_all(users.iter().map(|user| beat(&first, *user))).await;
    tokio::time::sleep(Duration::from_millis(TTL * 1000 + 50)).await;
    let observe = async || {
        let list = first.get("/api/v1/messages/users/online").await.json();
        assert_eq!(list["count"], 0);
        let all = events.all().into_iter();
        all.filter(|published| published.event["type"] == "offline")
            .count()
    };
    let all = |count: &usize| *count == users.len();
    wait_for("all are published", Duration::from_secs(5), observe, all).await;
    for user in users {
        assert_eq!(events.types_of_user(user), ["online", "offline"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_return_around_their_expiry_have_alternating_events() {
    let app = App::builder().variable("presence_ttl", 1).spawn().await;
    let events = Subscription::open(&app, "user:*:presence").await;
    let users: Vec<i64> = (0..20).map(|_| unique_user()).collect();
    let beats = users.iter().enumerate().map(async |(n, user)| {
        for round in 0..4 {
            beat(&app, *user).await;
            // From well before the expiry to well after it.
            let pause = 985 + (n as u64 * 7 + round * 3) % 45;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        beat(&app, *user).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(status(&app, *user).await["online"], true);
        plain_set_follows(&app, *user, true).await;
        assert_eq!(
            events.types_of_user(*user).last().expect("an event"),
            "online"
        );
    });
    join_all(beats).await;
    let mut expiries = 0;
    for user in &users {
        let observe = async || events.types_of_user(*user);
        let offline = |types: &Vec<String>| types.last().expect("an event") == "offline";
        let limit = Duration::from_secs(2);
        let types = wait_for("the user is offline", limit, observe, offline).await;
        expiries += types.len() / 2;
        for pair in types.chunks(2) {
            assert_eq!(pair, ["online", "offline"], "in {types:?}");
        }
        plain_set_follows(&app, *user, false).await;
    }
    assert!(expiries > users.len(), "no user came back after an expiry");
}

#[tokio::test]
async fn a_change_reaches_the_feeds_of_users_who_share_a_conversation() {
    let app = app().await;
    let (room, stranger) = (Room::new(app, 2).await, unique_user());
    let other = format!("/api/v1/messages/users/{}/events", room.users[1]);
    let _feed = app.events(&other).await;
    for action in ["online", "offline"] {
        app.post(&path(room.users[0], action), json!({})).await;
    }
    let mut redis = app.redis().await;
    let feed = format!("user:{}:feed", room.users[1]);
    let observe = async || feed_types(&mut redis, &feed, room.users[0]).await;
    let both = |types: &Vec<String>| types == &["online", "offline"];
    wait_for(
        "both are in the feed",
        Duration::from_secs(5),
        observe,
        both,
    )
    .await;
    let stranger = format!("user:{stranger}:feed");
    assert!(
        feed_types(&mut redis, &stranger, room.users[0])
            .await
            .is_empty()
    );
}

/// After this an instance has sent the last wake-up for an earlier change.
const LAST_WAKE_UP: Duration = Duration::from_millis(1500);

/// An app whose Redis answers through a proxy, which loses a reply that holds this.
async fn lossy(first: &App, marker: &str, ttl: u64) -> (App, LossyProxy) {
    let proxy = LossyProxy::before_redis(first, marker).await;
    let app = App::builder().variable("presence_ttl", ttl);
    let app = proxy.route(app.same_stores_as(first));
    (app.spawn().await, proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_reply_is_lost_is_reported_once_without_another_request() {
    let first = App::builder().own_stores().spawn().await;
    let room = Room::new(&first, 2).await;
    let user = room.users[0];
    let (_feed, feed) = open_feed(&first, room.users[1]).await;
    let events = Subscription::open(&first, &format!("user:{user}:presence")).await;
    // How the scripts name the change, in the protocol of Redis.
    let (online, online_proxy) = lossy(&first, &format!("\n1 {user}\r\n"), 300).await;
    let (offline, offline_proxy) = lossy(&first, &format!("\n0 {user}\r\n"), TTL).await;
    let reported = async |types: &[&str]| {
        let observe = async || feed_types(&mut first.redis().await, &feed, user).await;
        let limit = Duration::from_secs(TTL + 3);
        wait_for("the feed has it", limit, observe, |found| found == types).await;
        assert_eq!(events.types_of_user(user), types);
    };

    tokio::time::sleep(LAST_WAKE_UP).await;
    online_proxy.lose_next();
    beat(&online, user).await;
    assert!(online_proxy.has_lost(), "no reply was lost");
    reported(&["online"]).await;
    let seen = "select 1 from seen_users where user_id = $1";
    let seen = first.postgres().await.query(seen, &[&user]).await;
    assert_eq!(seen.expect("rows").len(), 1);

    tokio::time::sleep(LAST_WAKE_UP).await;
    offline_proxy.lose_next();
    let answer = offline.post(&path(user, "offline"), json!({})).await;
    answer.expect_status(200);
    assert!(offline_proxy.has_lost(), "no reply was lost");
    reported(&["online", "offline"]).await;

    // No request notices the expiry, only the triggers of the hosts.
    beat(&offline, user).await;
    offline_proxy.lose_next();
    reported(&["online", "offline", "online", "offline"]).await;
    plain_set_follows(&first, user, false).await;
}

#[tokio::test]
async fn what_others_wrote_between_the_signals_holds_none_up() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let (_feed, feed) = open_feed(&app, room.users[1]).await;
    let signals = "{users:online}:signals";
    let mut redis = app.redis().await;
    let mut pipe = redis::pipe();
    let garbage: [&[(&str, &[u8])]; 4] = [
        &[("event", b"garbage")],
        &[("event", b"\xff")],
        &[("a", b"1"), ("b", b"2")],
        &[(
            "event",
            br#"{"type":"typing-start","userId":1,"conversationId":2}"#,
        )],
    ];
    for fields in garbage {
        pipe.xadd(signals, "*", fields);
    }
    let lease = "{users:online}:signals:lease";
    let () = pipe
        .set(lease, "without a TTL")
        .query_async(&mut redis)
        .await
        .expect("entries");
    beat(&app, room.users[0]).await;
    let limit = Duration::from_secs(10);
    let observe = async || feed_types(&mut app.redis().await, &feed, room.users[0]).await;
    let online = |types: &Vec<String>| types == &["online"];
    wait_for("it is in the feed", limit, observe, online).await;
    let none = |left: &usize| *left == 0;
    let observe = async || app.redis().await.xlen(signals).await.expect("a number");
    wait_for("all are removed", limit, observe, none).await;
    let () = redis.del(signals).await.expect("a deletion");
    let () = redis.set(signals, "x").await.expect("a string");
    let answer = app.post(&path(room.users[0], "offline"), json!({})).await;
    answer.expect_status(200);
    let observe = async || feed_types(&mut app.redis().await, &feed, room.users[0]).await;
    let both = |types: &Vec<String>| types == &["online", "offline"];
    wait_for("the next is in the feed", limit, observe, both).await;
}

#[tokio::test]
async fn a_signal_that_is_delivered_again_is_in_the_feed_once() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let (_feed, feed) = open_feed(&app, room.users[1]).await;
    beat(&app, room.users[0]).await;
    let limit = Duration::from_secs(10);
    let observe = async || feed_types(&mut app.redis().await, &feed, room.users[0]).await;
    let online = |types: &Vec<String>| types == &["online"];
    wait_for("it is in the feed", limit, observe, online).await;
    // The relay died before it removed the signal.
    let mut redis = app.redis().await;
    let (signals, last): (_, String) = (
        "{users:online}:signals",
        redis
            .hget(format!("{{{feed}}}:seqs"), "{users:online}:signals")
            .await
            .expect("an id"),
    );
    let event = json!({ "type": "online", "userId": room.users[0] }).to_string();
    let () = redis::pipe()
        .del(signals)
        .xadd(signals, last, &[("event", event)])
        .publish("messaging:events", "")
        .query_async(&mut redis)
        .await
        .expect("a signal");
    let none = |left: &usize| *left == 0;
    let observe = async || app.redis().await.xlen(signals).await.expect("a number");
    wait_for("it is removed", limit, observe, none).await;
    assert_eq!(
        feed_types(&mut redis, &feed, room.users[0]).await,
        ["online"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_of_a_user_with_fifty_thousand_contacts_delays_no_feed() {
    const LIMIT: Duration = Duration::from_secs(5);
    let app = App::builder().own_stores().spawn().await;
    let popular = unique_user();
    let fill = format!(
        "insert into conversations (id) overriding system value select -n from generate_series(1, 100) n;
        insert into participants (conversation_id, user_id, seen)
        select -n, 1000000000 + n * 500 + m, true
        from generate_series(1, 100) n, generate_series(1, 499) m;
        insert into participants (conversation_id, user_id)
        select -n, {popular} from generate_series(1, 100) n"
    );
    let filled = app.postgres().await.batch_execute(&fill).await;
    filled.expect("contacts");
    let rooms = join_all((0..10).map(|_| Room::new(&app, 2))).await;
    for room in &rooms {
        beat(&app, room.users[1]).await;
    }
    let feed = |room: &Room| format!("user:{}:feed", room.users[1]);
    for action in ["online", "offline", "online"] {
        let answer = app.post(&path(popular, action), json!({})).await;
        answer.expect_status(200);
    }
    let delivered = rooms.iter().map(async |room| {
        room.say(&app, room.users[0], "innocent").await;
        let observe = async || {
            let types = feed_types(&mut app.redis().await, &feed(room), room.users[0]).await;
            types.contains(&"new-message".to_owned())
        };
        wait_for("the post is in the feed", LIMIT, observe, |there| *there).await;
    });
    join_all(delivered).await;
    let none = |left: &usize| *left == 0;
    let signals = "{users:online}:signals";
    let observe = async || app.redis().await.xlen(signals).await.expect("a number");
    let limit = Duration::from_secs(20);
    wait_for("the presence is delivered", limit, observe, none).await;
}

/// The types of the events of a user in a feed.
/// Opens a user's feed, which so exists; and its key.
async fn open_feed(app: &App, user: i64) -> (EventStream, String) {
    let path = format!("/api/v1/messages/users/{user}/events");
    (app.events(&path).await, format!("user:{user}:feed"))
}

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
    // Of a message the feed has a reference only.
    events
        .filter(|event| event["userId"] == user || event["messageId"].is_i64())
        .map(|event| event["type"].as_str().expect("a type").to_owned())
        .collect()
}

/// Sends a heartbeat or a sign-off of a device.
async fn device(app: &App, user: i64, action: &str, device: &str) {
    let body = json!({ "deviceId": device });
    let answer = app.post(&path(user, action), body).await;
    answer.expect_status(200);
}

#[tokio::test]
async fn a_user_is_online_while_any_device_is() {
    let (app, user) = (app().await, unique_user());
    let events = Subscription::open(app, &format!("user:{user}:presence")).await;
    let is_online = async || {
        let online = status(app, user).await["online"] == true;
        assert_eq!(is_listed(app, user).await, online);
        assert_eq!(is_in_the_plain_set(app, user).await, online);
        let marker = format!("user:{user}:online");
        let marked: bool = app.redis().await.exists(marker).await.expect("an answer");
        assert_eq!(marked, online);
        online
    };
    device(app, user, "online", "phone").await;
    device(app, user, "online", "desk").await;
    device(app, user, "offline", "phone").await;
    assert!(is_online().await);
    device(app, user, "offline", "unknown").await;
    assert!(is_online().await);
    device(app, user, "offline", "desk").await;
    assert!(!is_online().await);
    // A heartbeat without a name is a device of its own; a sign-off without one is of all.
    beat(app, user).await;
    device(app, user, "online", "phone").await;
    device(app, user, "offline", "phone").await;
    assert!(is_online().await);
    device(app, user, "online", "phone").await;
    let answer = app.post(&path(user, "offline"), json!({})).await;
    answer.expect_status(200);
    assert!(!is_online().await);
    events.exactly(4, user, Duration::from_secs(5)).await;
    let types = events.types_of_user(user);
    assert_eq!(types, ["online", "offline", "online", "offline"]);
    let devices = format!("{{users:online}}:devices:{user}");
    let left: bool = app.redis().await.exists(devices).await.expect("an answer");
    assert!(!left);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_expires_with_the_last_device() {
    let app = short_ttl().await;
    let user = unique_user();
    let events = Subscription::open(&app, &format!("user:{user}:presence")).await;
    device(&app, user, "online", "first").await;
    let last = Instant::now();
    tokio::time::sleep(Duration::from_millis(TTL * 500)).await;
    device(&app, user, "online", "second").await;
    device(&app, user, "offline", "second").await;
    let published = events.exactly(2, user, Duration::from_secs(TTL + 2)).await;
    let took = published[1].at - last;
    assert!(
        took > Duration::from_millis(TTL * 1000 - 200) && took < Duration::from_secs(TTL + 1),
        "offline after {took:?}"
    );
    assert_eq!(status(&app, user).await["online"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_come_and_go_at_once_leave_the_one_that_stays() {
    let (app, user) = (app().await, unique_user());
    let events = Subscription::open(app, &format!("user:{user}:presence")).await;
    device(app, user, "online", "stays").await;
    join_all((0..12).map(async |n| {
        let name = format!("device-{n}");
        for action in ["online", "offline", "online", "offline"] {
            device(app, user, action, &name).await;
        }
    }))
    .await;
    assert_eq!(status(app, user).await["online"], true);
    assert!(is_in_the_plain_set(app, user).await);
    let marker = format!("user:{user}:online");
    let ttl: i64 = app.redis().await.ttl(marker).await.expect("a TTL");
    assert!(ttl > 250, "{ttl}");
    device(app, user, "offline", "stays").await;
    assert_eq!(status(app, user).await["online"], false);
    events.exactly(2, user, Duration::from_secs(5)).await;
    assert_eq!(events.types_of_user(user), ["online", "offline"]);
}

#[tokio::test]
async fn a_poisoned_key_of_devices_counts_for_its_user_only() {
    let app = App::builder().own_stores().spawn().await;
    let (user, other) = (unique_user(), unique_user());
    beat(&app, other).await;
    let devices = format!("{{users:online}}:devices:{user}");
    let mut redis = app.redis().await;
    let () = redis.hset(&devices, 1, "x").await.expect("a hash");
    beat(&app, user).await;
    device(&app, user, "offline", "phone").await;
    assert_eq!(status(&app, user).await["online"], true);
    for score in ["inf", "9e15", "1.5"] {
        let () = redis.zadd(&devices, "x", score).await.expect("a member");
        beat(&app, user).await;
        let left: i64 = redis.ttl(&devices).await.expect("a TTL");
        assert!((1..=300).contains(&left), "{left}");
    }
    device(&app, user, "offline", "x").await;
    assert_eq!(status(&app, user).await["online"], true);
    assert_eq!(status(&app, other).await["online"], true);
}

#[tokio::test]
async fn the_body_is_optional_and_names_a_device_if_it_names_anything() {
    let (app, user) = (app().await, unique_user());
    for action in ["online", "offline"] {
        let path = path(user, action);
        let request = || app.request(Method::POST, &path);
        let typed = |text: &'static str| request().header("content-type", text);
        for accepted in [
            request(),
            request().header("content-length", "0"),
            typed("application/json"),
            typed("application/x-www-form-urlencoded"),
            request().json(&json!({})),
            request().json(&json!({ "deviceId": null })),
            request().json(&json!({ "deviceId": "x".repeat(64), "other": 1 })),
        ] {
            send(accepted).await.expect_status(200);
        }
        for device in ["", " ", "a b", "a\n", "\u{200b}", &"x".repeat(65)] {
            let refused = request().json(&json!({ "deviceId": device }));
            let problem = send(refused).await.expect_status(422).json();
            assert_eq!(problem["errors"][0]["field"], "deviceId", "{device:?}");
        }
        let problem = send(request().json(&json!({ "deviceId": 7 }))).await;
        let problem = problem.expect_status(400).json();
        assert_eq!(problem["errors"][0]["field"], "deviceId");
        for body in ["[]", "{", "null"] {
            let refused = typed("application/json").body(body);
            send(refused).await.expect_status(400);
        }
        send(request().body("{}")).await.expect_status(415);
        send(typed("text/plain").body("{}"))
            .await
            .expect_status(415);
    }
}

#[tokio::test]
async fn what_others_wrote_into_the_sets_breaks_nothing() {
    let app = App::builder().own_stores().spawn().await;
    let (user, other) = (unique_user(), unique_user());
    beat(&app, other).await;
    let mut redis = app.redis().await;
    let garbage = [
        "garbage",
        "7x",
        "0",
        "01",
        "-1",
        "9007199254740992",
        "5:6",
        "",
    ];
    // One score is of members that have expired.
    for score in [1, 9_000_000_000_000_i64] {
        let mut pipe = redis::pipe();
        for member in garbage {
            pipe.zadd("{users:online}:by-expiry", member, score);
        }
        pipe.zadd("{users:online}:by-expiry", b"\xff".as_slice(), score);
        let () = pipe.query_async(&mut redis).await.expect("members");
        beat(&app, user).await;
        assert!(is_listed(&app, user).await && is_listed(&app, other).await);
        assert_eq!(status(&app, user).await["online"], true);
        let left: usize = redis
            .zcard("{users:online}:by-expiry")
            .await
            .expect("a number");
        assert_eq!(left, 2);
    }
}

#[tokio::test]
async fn a_key_that_holds_another_type_is_replaced() {
    let app = App::builder().own_stores().spawn().await;
    let user = unique_user();
    let mut redis = app.redis().await;
    for key in ["users:online", "{users:online}:by-expiry"] {
        tests::replace_with_hash(&app, key).await;
        beat(&app, user).await;
        assert!(is_listed(&app, user).await, "with {key}");
        assert!(is_in_the_plain_set(&app, user).await, "with {key}");
    }
    let () = redis
        .del("{users:online}:by-expiry")
        .await
        .expect("a deletion");
    let () = redis
        .lpush("{users:online}:by-expiry", "x")
        .await
        .expect("a list");
    assert!(!is_listed(&app, user).await);
    assert_eq!(status(&app, user).await["online"], false);
}

#[tokio::test]
async fn a_user_keeps_their_devices_where_the_set_is_replaced() {
    let app = App::builder().own_stores().spawn().await;
    let user = unique_user();
    device(&app, user, "online", "desk").await;
    tests::replace_with_hash(&app, "{users:online}:by-expiry").await;
    device(&app, user, "online", "phone").await;
    device(&app, user, "offline", "phone").await;
    assert_eq!(status(&app, user).await["online"], true);
    device(&app, user, "offline", "desk").await;
    assert_eq!(status(&app, user).await["online"], false);
}

#[tokio::test]
async fn errors_name_the_field() {
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
        (Method::PUT, path(user, "online"), "POST, OPTIONS"),
        (Method::GET, path(user, "offline"), "POST, OPTIONS"),
        (
            Method::POST,
            path(user, "online-status"),
            "GET, HEAD, OPTIONS",
        ),
        (
            Method::POST,
            "/api/v1/messages/users/online".into(),
            "GET, HEAD, OPTIONS",
        ),
    ] {
        let answer = send(app.request(method, &path)).await.expect_status(405);
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
}

#[tokio::test]
async fn presence_is_unavailable_while_redis_is_down_and_comes_back_with_it() {
    let app = App::builder().own_stores().spawn().await;
    let user = unique_user();
    beat(&app, user).await;
    app.stop_redis().await;
    for (method, path) in [
        (Method::POST, path(user, "online")),
        (Method::POST, path(user, "offline")),
        (Method::GET, path(user, "online-status")),
        (Method::GET, "/api/v1/messages/users/online".into()),
    ] {
        let answer = send(app.request(method, &path)).await.expect_status(503);
        assert!(answer.header("retry-after").is_some(), "{path}");
    }
    app.start_redis().await;
    beat(&app, user).await;
    assert_eq!(status(&app, user).await["online"], true);
}
