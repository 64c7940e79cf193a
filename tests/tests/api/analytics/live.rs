//! The live figures in Redis are those of PostgreSQL, whatever is repeated or lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use redis::AsyncCommands as _;
use serde_json::json;
use testkit::{App, wait_for};
use tests::Room;

/// Figures are counted every 5 s.
const SOON: Duration = Duration::from_secs(12);
/// Longer than the lease of a relay, too.
const AFTER_A_LEASE: Duration = Duration::from_secs(30);

/// Counts by hour, and users by day.
type Figures = (BTreeMap<String, i64>, BTreeMap<String, BTreeSet<i64>>);

async fn in_redis(app: &App) -> Figures {
    let mut redis = app.redis().await;
    let (mut messages, mut active) = (BTreeMap::new(), BTreeMap::new());
    let keys: Vec<String> = redis.keys("stats:*").await.expect("keys");
    for key in keys {
        if let Some(hour) = key.strip_prefix("stats:messages:") {
            let count = redis.get(&key).await.unwrap_or(-1);
            messages.insert(hour.to_owned(), count);
        } else if let Some(day) = key.strip_prefix("stats:active:") {
            let users = redis.smembers(&key).await.unwrap_or_default();
            active.insert(day.to_owned(), users);
        }
    }
    (messages, active)
}

async fn in_postgres(app: &App) -> Figures {
    let postgres = app.postgres().await;
    let hours = "
        select to_char(created_at at time zone 'UTC', 'YYYYMMDDHH24'), count(*) from messages group by 1";
    let days = "
        select to_char(at at time zone 'UTC', 'YYYYMMDD'), array_agg(distinct user_id) from (
            select created_at, sender_id from messages where sender_id is not null
            union all select read_at, user_id from reads) a (at, user_id)
        group by 1";
    let hours = postgres.query(hours, &[]).await.expect("counts");
    let days = postgres.query(days, &[]).await.expect("users");
    let users = |row: &tokio_postgres::Row| row.get::<_, Vec<i64>>(1).into_iter().collect();
    (
        hours.iter().map(|row| (row.get(0), row.get(1))).collect(),
        days.iter().map(|row| (row.get(0), users(row))).collect(),
    )
}

async fn become_exact(app: &App, limit: Duration) {
    let expected = in_postgres(app).await;
    let observe = async || in_redis(app).await;
    let what = "the figures in Redis are those of PostgreSQL";
    wait_for(what, limit, observe, |found| *found == expected).await;
}

#[tokio::test]
async fn figures_follow_posts_and_readings_also_the_last_of_a_burst() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 3).await;
    room.say(&app, room.users[0], "the first is counted at once")
        .await;
    become_exact(&app, SOON).await;
    // These come within the pause: nothing but its end leads to their count.
    let message = room.say(&app, room.users[1], "later").await;
    let path = format!("/api/v1/messages/messages/{}/read", message["id"]);
    app.post(&path, json!({ "userId": room.users[2] }))
        .await
        .expect_status(200);
    become_exact(&app, SOON).await;
}

#[tokio::test]
async fn what_a_killed_relay_delivers_again_counts_once() {
    let mut app = App::builder().own_stores().prepare().await.expect("stores");
    app.devhost().start().await.expect("a start");
    for step in [2, 3, 4] {
        let dying = App::builder()
            .same_stores_as(&app)
            .variable("relay_stop_after", step);
        let dying = dying.prepare().await.expect("a second app");
        app.devhost().kill().await.expect("an end");
        dying.devhost().start().await.expect("a start");
        let room = Room::new(&dying, 2).await;
        room.say(&dying, room.users[0], "once").await;
        let text = format!("relay stops after step {step}");
        let observe = async || dying.log();
        wait_for("the relay stops", SOON, observe, |log| log.contains(&text)).await;
        app = dying;
    }
    let (first, second) = (
        App::builder().same_stores_as(&app),
        App::builder().same_stores_as(&app),
    );
    let (first, second) = (first.spawn().await, second.spawn().await);
    app.devhost().kill().await.expect("an end");
    let room = Room::new(&first, 2).await;
    for n in 0..20 {
        room.say(
            [&first, &second][n % 2],
            room.users[n % 2],
            "counted by two",
        )
        .await;
    }
    become_exact(&first, AFTER_A_LEASE).await;
}

#[tokio::test]
async fn figures_that_redis_lost_or_that_are_foreign_or_older_become_right() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "before").await;
    become_exact(&app, SOON).await;
    let snapshot = app.snapshot_redis().await;
    room.say(&app, room.users[1], "later").await;
    become_exact(&app, SOON).await;

    let mut redis = app.redis().await;
    let () = redis::cmd("FLUSHALL")
        .query_async(&mut redis)
        .await
        .expect("a flush");
    room.say(&app, room.users[0], "after the loss").await;
    become_exact(&app, SOON).await;

    let keys: Vec<String> = redis.keys("stats:*").await.expect("keys");
    for key in keys {
        tests::replace_with_hash(&app, &key).await;
    }
    room.say(&app, room.users[0], "after a foreign value").await;
    room.say(&app, room.users[1], "by both").await;
    become_exact(&app, SOON).await;

    app.kill_redis().await;
    app.restore_redis(&snapshot);
    app.start_redis().await;
    room.say(&app, room.users[0], "after the snapshot").await;
    become_exact(&app, AFTER_A_LEASE).await;
}
