//! Event streams during outages of a store, the relay or the host.

use std::time::{Duration, Instant};

use futures::future::join_all;
use redis::AsyncCommands;
use testkit::{App, EventStream, unique_user, wait_for};
use tests::Room;

use super::reader::{Reader, post_until_acknowledged};
use super::{NEXT_CHECK, feed_for_service, feed_of, first_id, user_feed};

async fn own() -> App {
    let builder = App::builder().own_stores();
    builder.variable("max_streams_per_user", 1000).spawn().await
}

async fn flush(app: &App) {
    let mut redis = app.redis().await;
    let () = redis::cmd("FLUSHALL")
        .query_async(&mut redis)
        .await
        .expect("an empty Redis");
}

async fn opened(app: &App, path: &str) -> EventStream {
    let mut stream = app.events(path).await;
    assert_eq!(stream.status(), 200);
    first_id(&mut stream).await;
    stream
}

/// The seq of the next event.
async fn next_seq(stream: &mut EventStream, limit: Duration) -> i64 {
    let event = stream.next_within(limit).await.expect("an open stream");
    event.id.expect("a durable event").parse().expect("a seq")
}

#[tokio::test]
async fn events_that_redis_lost_are_delivered_later_and_once() {
    let app = own().await;
    let room = Room::new(&app, 2).await;
    let readers = (0..10).map(|_| Reader::new(&app, feed_for_service(&room), "0", 0.01).read(200));
    let posts = async {
        for n in 0..200 {
            if n % 20 == 19 {
                flush(&app).await;
            }
            post_until_acknowledged(&app, &room, n).await;
        }
        flush(&app).await;
    };
    let (readers, ()) = futures::join!(join_all(readers), posts);
    for reader in readers {
        assert_eq!(reader.seqs(&room), Vec::from_iter(2..=201));
    }
}

#[tokio::test]
async fn typing_is_delivered_again_after_redis_lost_the_stream() {
    let app = own().await;
    let room = Room::new(&app, 2).await;
    for n in 0..3 {
        post_until_acknowledged(&app, &room, n).await;
    }
    let mut redis = app.redis().await;
    let key = format!("conversation:{}:stream", room.id);
    let observe = async || redis.xlen(&key).await.ok();
    let three = |length: &Option<usize>| *length == Some(4);
    wait_for("all is relayed", NEXT_CHECK, observe, three).await;
    let mut stream = opened(&app, &feed_of(&room)).await;
    flush(&app).await;
    tokio::time::sleep(NEXT_CHECK).await;
    let typing = serde_json::json!({ "userId": room.users[1], "isTyping": true });
    app.post(
        &format!("/api/v1/messages/conversations/{}/typing", room.id),
        typing,
    )
    .await
    .expect_status(200);
    stream.next_of("typing-start").await;
}

#[tokio::test]
async fn events_come_from_the_database_while_redis_is_away() {
    let app = own().await;
    let room = Room::new(&app, 2).await;
    let mut stream = opened(&app, &feed_of(&room)).await;
    app.stop_redis().await;
    for n in 1..4 {
        post_until_acknowledged(&app, &room, n).await;
        assert_eq!(
            next_seq(&mut stream, Duration::from_secs(6)).await,
            n as i64 + 1
        );
    }
    let mut late = opened(&app, &feed_of(&room)).await;
    app.start_redis().await;
    post_until_acknowledged(&app, &room, 4).await;
    for stream in [&mut stream, &mut late] {
        assert_eq!(next_seq(stream, NEXT_CHECK).await, 5);
    }
}

#[tokio::test]
async fn events_come_from_the_database_while_redis_does_not_answer() {
    let app = own().await;
    let room = Room::new(&app, 2).await;
    let mut stream = opened(&app, &feed_of(&room)).await;
    app.pause_redis().await;
    post_until_acknowledged(&app, &room, 1).await;
    assert_eq!(next_seq(&mut stream, Duration::from_secs(25)).await, 2);
    post_until_acknowledged(&app, &room, 2).await;
    assert_eq!(next_seq(&mut stream, Duration::from_secs(10)).await, 3);
    app.resume_redis().await;
    post_until_acknowledged(&app, &room, 3).await;
    assert_eq!(next_seq(&mut stream, NEXT_CHECK).await, 4);
}

#[tokio::test]
async fn a_stream_outlives_the_database() {
    let app = own().await;
    let room = Room::new(&app, 2).await;
    let mut stream = opened(&app, &feed_of(&room)).await;
    app.kill_postgres().await;
    let observe = async || app.events(&feed_of(&room)).await.status();
    wait_for("no stream opens", NEXT_CHECK, observe, |status| {
        *status == 503
    })
    .await;
    tokio::time::sleep(NEXT_CHECK).await;
    app.start_postgres().await;
    post_until_acknowledged(&app, &room, 1).await;
    assert_eq!(next_seq(&mut stream, NEXT_CHECK).await, 2);
}

#[tokio::test]
async fn a_relay_that_is_down_delays_events_and_loses_none() {
    let app = App::builder()
        .own_stores()
        .variable("relay_stop_after", 1)
        .spawn()
        .await;
    let room = Room::new(&app, 2).await;
    let mut stream = opened(&app, &feed_of(&room)).await;
    for n in 1..4 {
        post_until_acknowledged(&app, &room, n).await;
        assert_eq!(next_seq(&mut stream, NEXT_CHECK).await, n as i64 + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashes_of_host_and_redis_neither_lose_nor_repeat_an_event() {
    const POSTS: usize = 500;
    let app = own().await;
    let room = Room::new(&app, 2).await;
    let readers =
        (0..20).map(|_| Reader::new(&app, feed_for_service(&room), "0", 0.01).read(POSTS));
    let posts = async {
        for n in 0..POSTS {
            post_until_acknowledged(&app, &room, n).await;
        }
    };
    let crashes = async {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            app.crash_and_restart().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            app.kill_redis().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            app.start_redis().await;
        }
    };
    let (readers, (), ()) = futures::join!(join_all(readers), posts, crashes);
    for reader in readers {
        assert_eq!(reader.seqs(&room), Vec::from_iter(2..=POSTS as i64 + 1));
    }
}

#[tokio::test]
async fn a_feed_that_redis_lost_is_a_resync() {
    let app = own().await;
    let room = Room::new(&app, 2).await;
    let mut stream = opened(&app, &user_feed(room.users[0])).await;
    post_until_acknowledged(&app, &room, 1).await;
    let id = stream.next_of("new-message").await.id.expect("an id");
    flush(&app).await;
    let start = Instant::now();
    stream.next_of("resync").await;
    assert!(start.elapsed() < NEXT_CHECK);
    let mut other = app.events_after(&user_feed(room.users[0]), id).await;
    assert_eq!(other.next().await.expect("an event").event, "resync");
    post_until_acknowledged(&app, &room, 2).await;
    for stream in [&mut stream, &mut other] {
        assert_eq!(stream.next_of("new-message").await.json()["seq"], 3);
    }
}

#[tokio::test]
async fn a_feed_that_redis_lost_and_that_has_new_events_is_a_resync() {
    let app = own().await;
    let room = Room::new(&app, 2).await;
    let mut stream = opened(&app, &user_feed(room.users[0])).await;
    flush(&app).await;
    post_until_acknowledged(&app, &room, 1).await;
    stream.next_of("resync").await;
    post_until_acknowledged(&app, &room, 2).await;
    while stream.next_of("new-message").await.json()["seq"] != 3 {}
}

#[tokio::test]
async fn a_users_feed_continues_when_redis_is_back() {
    let app = own().await;
    let room = Room::new(&app, 2).await;
    let path = user_feed(room.users[0]);
    let mut stream = opened(&app, &path).await;
    app.kill_redis().await;
    let mut late = app.events(&path).await;
    assert_eq!(first_id(&mut late).await, None);
    post_until_acknowledged(&app, &room, 1).await;
    app.start_redis().await;
    for stream in [&mut stream, &mut late] {
        // Redis may have lost its last writes when it went.
        stream.next_of("resync").await;
    }
    post_until_acknowledged(&app, &room, 2).await;
    for stream in [&mut stream, &mut late] {
        while stream.next_of("new-message").await.json()["seq"] != 3 {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashes_of_the_host_neither_lose_nor_repeat_an_event_of_a_user() {
    const POSTS: usize = 100;
    const ROOMS: usize = 3;
    let app = own().await;
    let (user, other) = (unique_user(), unique_user());
    let path = user_feed(user);
    let rooms = join_all((0..ROOMS).map(|_| Room::of(&app, vec![user, other]))).await;
    // An entry of the second in which Redis started counts as older than its start.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let start = first_id(&mut app.events(&path).await).await.expect("an id");
    let readers =
        (0..10).map(|_| Reader::new(&app, path.clone(), &start, 0.02).read(ROOMS * POSTS));
    let posts = join_all(rooms.iter().map(async |room| {
        for n in 0..POSTS {
            post_until_acknowledged(&app, room, n).await;
        }
    }));
    let crashes = async {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(100..400))).await;
            app.crash_and_restart().await;
        }
    };
    let (readers, _, ()) = futures::join!(join_all(readers), posts, crashes);
    for reader in readers {
        for room in &rooms {
            assert_eq!(reader.seqs(room), Vec::from_iter(2..=POSTS as i64 + 1));
        }
    }
}
