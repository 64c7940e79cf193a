//! Outages of a store: what works during one, and that everything is right afterwards.

use std::time::Duration;

use serde_json::json;
use testkit::{App, Response, wait_for};
use tests::{Room, ordinals, path_of};

/// The circuit breaker of an instance closes within this time.
const RECOVERY: Duration = Duration::from_secs(15);

#[tokio::test]
async fn without_redis_posting_and_reading_work_and_are_right_afterwards() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "before").await;
    room.messages(&app, 50).await;
    app.stop_redis().await;
    for n in 0..5 {
        room.say(&app, room.users[n % 2], "during the outage").await;
        assert_eq!(room.messages(&app, 50).await.len(), n + 2);
    }
    let health = app.get("/api/v1/health").await.expect_status(503).json();
    assert_eq!(
        (&health["redis"]["status"], &health["postgres"]["status"]),
        (&json!("disconnected"), &json!("connected"))
    );
    app.get("/api/v1/health/live").await.expect_status(200);
    app.start_redis().await;
    let observe = async || app.get(&room.list(50)).await;
    let is_hit = |list: &Response| list.header("x-cache") == Some("hit");
    wait_for("Redis is used again", RECOVERY, observe, is_hit).await;
    room.say(&app, room.users[0], "after").await;
    assert_eq!(
        ordinals(&room.messages(&app, 50).await),
        (1..=7).collect::<Vec<_>>()
    );
    let log = app.log();
    for line in [
        "Redis connection error: ",
        "Redis reconnecting... (attempt 2/5)",
        "Redis connected successfully",
        "Redis subscriber connected",
    ] {
        assert!(log.contains(line), "the log lacks {line:?}");
    }
}

#[tokio::test]
async fn without_postgres_cached_reads_work_and_posts_name_the_time_of_a_retry() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "kept").await;
    room.messages(&app, 50).await;
    assert_eq!(app.get(&room.list(50)).await.header("x-cache"), Some("hit"));
    app.stop_postgres().await;
    assert_eq!(room.messages(&app, 50).await.len(), 1);
    let refused = room
        .post(&app, room.users[0], "not now")
        .await
        .expect_status(503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    app.start_postgres().await;
    let post = async || room.post(&app, room.users[0], "now").await;
    let is_created = |answer: &Response| answer.status() == 201;
    wait_for("posting works again", RECOVERY, post, is_created).await;
    assert_eq!(ordinals(&room.messages(&app, 50).await), [1, 2]);
}

#[tokio::test]
async fn acknowledged_messages_survive_a_crash_of_everything() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let mut acknowledged = Vec::new();
    for n in 0..20 {
        acknowledged.push(room.say(&app, room.users[0], &format!("{n}")).await);
    }
    app.devhost().kill().await.expect("devhost ends");
    app.kill_redis().await;
    app.kill_postgres().await;
    app.start_postgres().await;
    app.start_redis().await;
    app.devhost().start().await.expect("devhost starts");
    assert_eq!(room.messages(&app, 50).await, acknowledged);
    for message in &acknowledged {
        let single = app.get(&path_of(message)).await.expect_status(200);
        assert_eq!(single.json(), *message);
    }
}
