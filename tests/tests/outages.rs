//! What still works while a store is away, and that all is right when it is back.

use std::time::{Duration, Instant};

use redis::AsyncCommands;
use serde_json::json;
use testkit::{App, wait_until};
use tests::{Room, ordinals};

const BACK: Duration = Duration::from_secs(15);

#[tokio::test]
async fn without_redis_posting_and_reading_work_and_are_right_after_it_is_back() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "before").await;
    room.messages(&app, 50).await;
    app.stop_redis().await;
    for n in 0..5 {
        room.say(&app, room.users[n % 2], "meanwhile").await;
        assert_eq!(room.messages(&app, 50).await.len(), n + 2);
    }
    let health = app.get("/api/v1/health").await.expect_status(503).json();
    assert_eq!(
        (&health["redis"]["status"], &health["postgres"]["status"]),
        (&json!("disconnected"), &json!("connected"))
    );
    app.get("/api/v1/health/live").await.expect_status(200);
    app.start_redis().await;
    wait_until("Redis is used again", BACK, async || {
        app.get(&room.list(50)).await.header("x-cache") == Some("hit")
    })
    .await;
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
async fn a_redis_that_hangs_delays_a_post_and_does_not_fail_it() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "before").await;
    app.pause_redis().await;
    let start = Instant::now();
    room.say(&app, room.users[0], "while it hangs").await;
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    let start = Instant::now();
    app.post(
        &format!("/api/v1/messages/users/{}/online", room.users[0]),
        json!({}),
    )
    .await
    .expect_status(503);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    app.resume_redis().await;
    wait_until("the list is whole again", BACK, async || {
        room.messages(&app, 50).await.len() == 2
    })
    .await;
}

#[tokio::test]
async fn without_postgres_cached_reads_work_and_posts_say_when_to_try_again() {
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
    wait_until("posting works again", BACK, async || {
        room.post(&app, room.users[0], "now").await.status() == 201
    })
    .await;
    assert_eq!(ordinals(&room.messages(&app, 50).await), [1, 2]);
}

#[tokio::test]
async fn a_postgres_that_hangs_is_503_within_the_deadline() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    app.pause_postgres().await;
    let start = Instant::now();
    room.post(&app, room.users[0], "never")
        .await
        .expect_status(503);
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    app.resume_postgres().await;
}

#[tokio::test]
async fn acknowledged_messages_survive_a_crash_of_everything() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    for n in 0..20 {
        room.say(&app, room.users[0], &format!("{n}")).await;
    }
    app.devhost().kill().await.expect("an end");
    app.kill_redis().await;
    app.kill_postgres().await;
    app.start_postgres().await;
    app.start_redis().await;
    app.devhost().start().await.expect("a start");
    assert_eq!(
        ordinals(&room.messages(&app, 50).await),
        (1..=20).collect::<Vec<_>>()
    );
    let single: Option<String> = app
        .redis()
        .await
        .get("message:0")
        .await
        .expect("Redis answers");
    assert_eq!(single, None);
}

#[tokio::test]
async fn no_secret_and_no_content_gets_into_the_log() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "privileged-and-confidential")
        .await;
    app.stop_redis().await;
    app.stop_postgres().await;
    room.post(&app, room.users[0], "privileged-and-confidential")
        .await
        .expect_status(503);
    room.post(
        &app,
        room.users[0],
        &"privileged-and-confidential ".repeat(1000),
    )
    .await
    .expect_status(422);
    let log = app.log();
    for url in [app.data().redis_url(), app.data().database_url()] {
        assert!(!log.contains(url));
        if let Some(password) = url
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('@'))
            .and_then(|(user, _)| user.split_once(':'))
        {
            assert!(!password.1.is_empty() && !log.contains(password.1));
        }
    }
    assert!(!log.contains("privileged"));
}
