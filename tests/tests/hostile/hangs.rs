//! Stores that hang: paused, not closed. Every request is answered within its deadline.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use testkit::{App, Response, send, unique_user, wait_for};
use tests::Room;

/// The deadlines of two stores, and the delay of a busy machine.
const DEADLINE: Duration = Duration::from_secs(8);

/// A post waits once for Redis, and not for its whole deadline.
const POST_DELAY: Duration = Duration::from_secs(3);
const RECOVERY: Duration = Duration::from_secs(15);

fn is_ok(answer: &Response) -> bool {
    answer.status() == 200
}

async fn timed(app: &App, method: Method, path: &str) -> Response {
    let start = Instant::now();
    let answer = send(app.request(method, path)).await;
    assert!(
        start.elapsed() < DEADLINE,
        "{path} took {:?}",
        start.elapsed()
    );
    answer
}

fn assert_unavailable(answer: &Response) {
    assert_eq!(answer.status(), 503, "{answer}");
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn a_hanging_postgres_is_unavailable_within_the_deadline() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "Hi").await;
    room.messages(&app, 50).await;
    app.pause_postgres().await;
    let list = format!("/api/v1/conversations?userId={}", room.users[0]);
    assert_unavailable(&timed(&app, Method::GET, &list).await);
    let start = Instant::now();
    assert_unavailable(&room.post(&app, room.users[0], "Hi").await);
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
    // Cached lists are still available.
    timed(&app, Method::GET, &room.list(50))
        .await
        .expect_status(200);
    app.resume_postgres().await;
    let observe = async || app.get(&list).await;
    wait_for("lists work again", RECOVERY, observe, is_ok).await;
}

#[tokio::test]
async fn a_hanging_redis_delays_only_what_needs_it() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "Hi").await;
    app.pause_redis().await;
    timed(&app, Method::GET, &room.list(50))
        .await
        .expect_status(200);
    let start = Instant::now();
    room.say(&app, room.users[0], "Hi again").await;
    assert!(start.elapsed() < POST_DELAY, "{:?}", start.elapsed());
    let online = format!("/api/v1/messages/users/{}/online", unique_user());
    assert_unavailable(&timed(&app, Method::POST, &online).await);
    let ticket = "/api/v1/messages/stream-tickets";
    assert_unavailable(&timed(&app, Method::POST, ticket).await);
    app.pause_postgres().await;
    assert_unavailable(&timed(&app, Method::GET, &room.list(50)).await);
    app.resume_postgres().await;
    app.resume_redis().await;
    let observe = async || send(app.request(Method::POST, &online)).await;
    wait_for("heartbeats work again", RECOVERY, observe, is_ok).await;
    let observe = async || room.messages(&app, 50).await.len();
    wait_for("the list is complete", RECOVERY, observe, |n| *n == 2).await;
}

#[tokio::test]
async fn a_statement_that_waits_for_a_lock_is_cancelled_by_the_server_too() {
    let app = App::builder().own_stores().spawn().await;
    let room = Room::new(&app, 2).await;
    let mut database = app.postgres().await;
    let lock = database.transaction().await.expect("a transaction");
    lock.execute(
        "select from conversations where id = $1 for update",
        &[&room.id],
    )
    .await
    .expect("the lock");
    assert_unavailable(&room.post(&app, room.users[0], "Hi").await);
    let waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
    let observe = async || {
        let row = lock.query_one(waiting, &[]).await;
        row.expect("a count").get::<_, i64>(0)
    };
    let (what, limit) = ("no session waits for a lock", Duration::from_secs(6));
    wait_for(what, limit, observe, |waiting| *waiting == 0).await;
    lock.rollback().await.expect("the lock is gone");
    let body = json!({"conversationId": room.id, "senderId": room.users[0], "content": "Hi"});
    app.post("/api/v1/messages", body).await.expect_status(201);
}
