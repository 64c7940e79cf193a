//! Who may have a stream that the proxy holds, for how long, and how many.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use testkit::{App, EventStream, send, unique_user, wait_for};
use tests::{Room, token};

use super::super::{app, quiet_room};
use super::{feed_of, held, request, user_feed};

async fn open(app: &App, path: &str) -> EventStream {
    let mut stream = held(app, path).await;
    assert_eq!(stream.status(), 200);
    stream.next_block().await.expect("an opening");
    stream
}

async fn remove(app: &App, room: &Room, user: i64) {
    let path = format!("/api/v1/conversations/{}/participants/{user}", room.id);
    app.delete(&path).await.expect_status(204);
}

#[tokio::test]
async fn a_user_who_is_removed_hears_that_and_nothing_of_later() {
    let app = app().await;
    let room = quiet_room(app).await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let mut gone = open(app, &feed_of(&room, bob)).await;
    let mut feed = open(app, &user_feed(bob)).await;
    let mut stays = open(app, &feed_of(&room, ann)).await;
    room.say(app, ann, "before").await;
    for stream in [&mut gone, &mut feed, &mut stays] {
        let event = stream.next_of("new-message").await.json();
        assert_eq!(event["message"]["content"], "before");
    }
    let removal = async {
        remove(app, &room, bob).await;
        for n in 0..20 {
            room.say(app, ann, &format!("after {n}")).await;
        }
    };
    let listening = async {
        let mut events = vec![];
        while let Some(event) = gone.next().await {
            events.push(event);
        }
        events
    };
    let ((), events) = futures::join!(removal, listening);
    let names: Vec<&str> = events.iter().map(|event| &*event.event).collect();
    assert_eq!(names, ["participant-left"], "{events:#?}");
    stays.next_of("participant-left").await;
    for n in 0..20 {
        let event = stays.next_of("new-message").await.json();
        assert_eq!(event["message"]["content"], format!("after {n}"));
    }
    // The user's own feed goes on, with what is theirs.
    let other = Room::of(app, vec![ann, bob]).await;
    loop {
        let event = feed.next().await.expect("it goes on").json();
        if event["conversationId"] == other.id {
            break;
        }
        assert_ne!(event["type"], "new-message", "{event}");
    }
}

#[tokio::test]
async fn a_user_who_comes_back_at_once_goes_on() {
    let app = app().await;
    let room = quiet_room(app).await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let mut stream = open(app, &feed_of(&room, bob)).await;
    remove(app, &room, bob).await;
    let path = format!("/api/v1/conversations/{}/participants", room.id);
    app.post(&path, json!({"userId": bob}))
        .await
        .expect_status(201);
    room.say(app, ann, "again").await;
    let mut names = vec![];
    while names.last().map(String::as_str) != Some("new-message") {
        match stream.next().await {
            Some(event) => names.push(event.event),
            // Between the two the service had no right to find.
            None => return,
        }
    }
    assert_eq!(
        names,
        ["participant-left", "participant-joined", "new-message"]
    );
}

#[tokio::test]
async fn only_so_many_are_open_and_those_that_were_left_do_not_count() {
    let builder = App::builder().own_stores().gateway();
    let app = builder.variable("max_streams_per_user", 3).spawn().await;
    let user = unique_user();
    let path = user_feed(user);
    let mut kept = open(&app, &path).await;
    let left = [open(&app, &path).await, open(&app, &path).await];
    let refused = send(request(&app, Method::GET, &path)).await;
    let wait = refused
        .expect_status(429)
        .header("retry-after")
        .map(str::to_owned);
    let wait: u64 = wait.expect("a time").parse().expect("seconds");
    assert!((1..=6).contains(&wait), "{wait}");
    // Straight ones count too.
    app.get(&path).await.expect_status(429);
    tokio::time::sleep(Duration::from_secs(6)).await;
    // Those that are open were asked, and count still.
    send(request(&app, Method::GET, &path))
        .await
        .expect_status(429);
    drop(left);
    let limit = Duration::from_secs(20);
    let observe = async || held(&app, &path).await.status();
    wait_for("one opens again", limit, observe, |status| *status == 200).await;
    let room = Room::of(&app, vec![user, unique_user()]).await;
    room.say(&app, room.users[1], "Hello").await;
    kept.next_of("new-message").await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let builder = token::closed().variable("rate_limit", 0).gateway();
    let app = builder.spawn().await;
    let user = unique_user();
    let mut claims = token::claims(user);
    // Tokens are taken for 30 s more.
    claims["exp"] = (token::now() - 22).into();
    let path = user_feed(user);
    let open = request(&app, Method::GET, &path).header("authorization", token::bearer(&claims));
    let mut stream = EventStream::open(open).await;
    assert_eq!(stream.status(), 200);
    let begun = Instant::now();
    stream.end_within(Duration::from_secs(30)).await;
    assert!(begun.elapsed() > Duration::from_secs(5), "too early");
    // Without a token there is none.
    send(request(&app, Method::GET, &path))
        .await
        .expect_status(401);
}

#[tokio::test]
async fn a_ticket_opens_a_stream_that_goes_on_without_it() {
    let builder = token::closed().variable("rate_limit", 0).gateway();
    let app = builder.spawn().await;
    let user = unique_user();
    let ticket = app
        .request(Method::POST, "/api/v1/messages/stream-tickets")
        .header("authorization", token::user(user));
    let ticket = send(ticket).await.expect_status(201).json();
    let ticket = ticket["ticket"].as_str().expect("a ticket").to_owned();
    let path = format!("{}?ticket={ticket}", user_feed(user));
    let mut stream = open(&app, &path).await;
    // The proxy asks by its link after 2 s.
    let silence = tokio::time::timeout(Duration::from_secs(5), stream.next()).await;
    assert!(silence.is_err(), "{silence:?}");
    send(request(&app, Method::GET, &path))
        .await
        .expect_status(401);
}

#[tokio::test]
async fn only_the_proxy_asks_by_a_link_and_only_by_one_that_it_was_given() {
    let app = app().await;
    let path = "/api/v1/messages/held-streams/h0";
    app.get(path).await.expect_status(403);
    // Pushpin signs it, and it is no link of a stream.
    for state in ["", "?state=", "?state=a.b", "?state=x&state=y"] {
        let path = format!("{path}{state}");
        send(request(app, Method::GET, &path))
            .await
            .expect_status(403);
    }
    let claims = json!({"exp": token::now() + 3600});
    let signature = jwt_signer::hs256(app.gateway().key().as_bytes(), &claims);
    let user = unique_user();
    let signed = |path: &str| {
        app.request(Method::GET, path)
            .header("grip-sig", &signature)
    };
    let opened = send(signed(&user_feed(user))).await.expect_status(200);
    let link = opened.header("grip-link").expect("a link").to_owned();
    let link = link.split(['<', '>']).nth(1).expect("a path").to_owned();
    let next = send(signed(&link)).await.expect_status(200);
    assert_eq!(next.header("grip-hold"), Some("stream"));
    // The link of one stream is not that of another, and past the proxy it is nothing.
    let (_, state) = link.split_once('?').expect("a state");
    send(signed(&format!("{path}?{state}")))
        .await
        .expect_status(403);
    app.get(&link).await.expect_status(403);
}

#[tokio::test]
async fn a_held_stream_keeps_no_connection_to_redis() {
    let app = App::builder().own_stores().gateway().spawn().await;
    let clients = async || {
        let mut redis = app.redis().await;
        let list: String = redis::cmd("CLIENT")
            .arg("LIST")
            .query_async(&mut redis)
            .await
            .expect("a list");
        list.lines().count()
    };
    let _first = open(&app, &user_feed(unique_user())).await;
    let before = clients().await;
    let mut streams = vec![];
    for _ in 0..30 {
        streams.push(open(&app, &user_feed(unique_user())).await);
    }
    let after = clients().await;
    assert!(after < before + 10, "{before} connections, then {after}");
}
