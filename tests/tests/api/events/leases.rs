//! How many event streams a user may have open.

use std::time::{Duration, SystemTime};

use redis::AsyncCommands;
use testkit::{App, EventStream, unique_user, wait_for};

use super::{first_id, user_feed};

const LIMIT: Duration = Duration::from_secs(20);

async fn app_with(max: u64) -> App {
    let app = App::builder().variable("max_streams_per_user", max);
    app.spawn().await
}

async fn open(app: &App, user: i64) -> EventStream {
    let mut stream = app.events(&user_feed(user)).await;
    assert_eq!(stream.status(), 200);
    first_id(&mut stream).await;
    stream
}

fn key(user: i64) -> String {
    format!("user:{user}:streams")
}

#[tokio::test]
async fn a_stream_above_the_limit_is_refused_until_another_ends() {
    let app = app_with(2).await;
    let (user, other) = (unique_user(), unique_user());
    let streams = [open(&app, user).await, open(&app, user).await];
    let refused = app.get(&user_feed(user)).await.expect_status(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    // A replica counts the same streams.
    let replica = App::builder()
        .variable("max_streams_per_user", 2)
        .same_stores_as(&app);
    let replica = replica.spawn().await;
    replica.get(&user_feed(user)).await.expect_status(429);
    open(&app, other).await;
    drop(streams);
    let observe = async || app.events(&user_feed(user)).await.status();
    wait_for("a stream opens again", LIMIT, observe, |status| {
        *status == 200
    })
    .await;
}

#[tokio::test]
async fn a_conversations_feed_counts_like_a_users() {
    let app = app_with(1).await;
    let room = tests::Room::new(&app, 2).await;
    let _stream = open(&app, room.users[0]).await;
    let path = |user| format!("{}?userId={user}", super::feed_for_service(&room));
    app.get(&path(room.users[0])).await.expect_status(429);
    assert_eq!(app.events(&path(room.users[1])).await.status(), 200);
}

#[tokio::test]
async fn a_refused_stream_opens_no_connection() {
    let app = App::builder()
        .variable("max_streams_per_user", 1)
        .own_stores()
        .spawn()
        .await;
    let user = unique_user();
    let _stream = open(&app, user).await;
    let mut redis = app.redis().await;
    let mut received = async || {
        let info: String = redis::cmd("INFO")
            .arg("stats")
            .query_async(&mut redis)
            .await
            .expect("the figures");
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"));
        line.and_then(|count| count.trim().parse::<u64>().ok())
            .expect("a number")
    };
    // What the component's instances keep is open by now.
    app.get(&user_feed(user)).await.expect_status(429);
    let before = received().await;
    for _ in 0..50 {
        app.get(&user_feed(user)).await.expect_status(429);
    }
    let opened = received().await - before;
    assert!(opened < 10, "{opened} connections for 50 refused streams");
}

#[tokio::test]
async fn a_lease_is_renewed_while_its_stream_is_open() {
    let app = app_with(1).await;
    let user = unique_user();
    let _stream = open(&app, user).await;
    let mut redis = app.redis().await;
    let _: i64 = redis.del(key(user)).await.expect("a deletion");
    let observe = async || {
        let mut redis = app.redis().await;
        redis.zcard(key(user)).await.unwrap_or(0_i64)
    };
    wait_for("the lease is back", LIMIT, observe, |count| *count == 1).await;
    app.get(&user_feed(user)).await.expect_status(429);
}

#[tokio::test]
async fn a_lease_of_a_host_that_died_or_of_a_clock_that_went_back_does_not_count() {
    let app = app_with(1).await;
    let user = unique_user();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("after 1970").as_millis() as f64;
    let mut redis = app.redis().await;
    for score in [now - 1.0, now + 3_600_000.0] {
        let _: i64 = redis.zadd(key(user), "dead", score).await.expect("a lease");
        drop(open(&app, user).await);
        let observe = async || {
            let mut redis = app.redis().await;
            redis.zcard(key(user)).await.unwrap_or(-1_i64)
        };
        wait_for("the lease is given back", LIMIT, observe, |count| {
            *count == 0
        })
        .await;
    }
}

#[tokio::test]
async fn without_redis_streams_open_without_a_lease() {
    let app = App::builder()
        .variable("max_streams_per_user", 1)
        .own_stores()
        .spawn()
        .await;
    let room = tests::Room::new(&app, 2).await;
    app.stop_redis().await;
    let path = format!(
        "{}?userId={}",
        super::feed_for_service(&room),
        room.users[0]
    );
    let streams = [app.events(&path).await, app.events(&path).await];
    assert_eq!(streams.each_ref().map(EventStream::status), [200, 200]);
}
