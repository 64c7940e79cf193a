//! The rate limit of a caller.

use std::time::{Duration, Instant};

use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, Response, send, unique_user, wait_for};
use tests::token;

use super::world::World;

async fn get(app: &App, path: &str, authorization: &str) -> Response {
    let request = app.request(Method::GET, path);
    send(request.header("authorization", authorization)).await
}

fn number(answer: &Response, header: &str) -> u64 {
    let value = answer.header(header).unwrap_or_default();
    value
        .parse()
        .unwrap_or_else(|_| panic!("{header} is {value:?} in {answer}"))
}

const PATH: &str = "/api/v1/messages/users/online";

#[tokio::test]
async fn a_caller_above_the_limit_is_rejected_and_others_are_not() {
    let app = token::closed().variable("rate_limit", 6).spawn().await;
    let (hasty, calm) = (token::user(unique_user()), token::user(unique_user()));
    for left in (0..6).rev() {
        let answer = get(&app, PATH, &hasty).await.expect_status(200);
        assert_eq!(number(&answer, "ratelimit-limit"), 6);
        assert_eq!(number(&answer, "ratelimit-remaining"), left);
        assert!((1..=60).contains(&number(&answer, "ratelimit-reset")));
    }
    let refused = get(&app, PATH, &hasty).await.expect_status(429);
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    assert!((1..=10).contains(&number(&refused, "retry-after")));
    assert_eq!(number(&refused, "ratelimit-remaining"), 0);
    get(&app, PATH, &calm).await.expect_status(200);
    get(&app, PATH, &token::service()).await.expect_status(200);
    app.get("/api/v1/health/live").await.expect_status(200);
}

#[tokio::test]
async fn a_rejected_write_has_no_effect() {
    let app = token::closed().variable("rate_limit", 2).spawn().await;
    let world = World::new(&app).await;
    let post = async || {
        let body = serde_json::json!({"conversationId": world.conversation,
            "senderId": world.owner, "content": "Hi"});
        let request = app.request(Method::POST, "/api/v1/messages").json(&body);
        send(request.header("authorization", token::user(world.owner))).await
    };
    post().await.expect_status(201);
    post().await.expect_status(201);
    post().await.expect_status(429);
    let database = app.postgres().await;
    let count = "select message_count from conversations where id = $1";
    let row = database
        .query_one(count, &[&world.conversation])
        .await
        .expect("a row");
    assert_eq!(row.get::<_, i64>(0), 3);
}

/// In any period, at most the limit and the refill of that period are allowed.
#[tokio::test]
async fn replicas_share_a_limit_that_refills_evenly() {
    let one = token::closed().variable("rate_limit", 120).spawn().await;
    let two = token::closed()
        .variable("rate_limit", 120)
        .same_stores_as(&one)
        .spawn()
        .await;
    let caller = token::user(unique_user());
    let start = Instant::now();
    let mut allowed = 0_u32;
    while start.elapsed() < Duration::from_secs(4) {
        let (left, right) = tokio::join!(get(&one, PATH, &caller), get(&two, PATH, &caller));
        allowed += [left, right]
            .iter()
            .filter(|answer| answer.status() == 200)
            .count() as u32;
    }
    let most = 120.0 + start.elapsed().as_secs_f64() * 2.0;
    assert!(f64::from(allowed) <= most + 1.0, "{allowed} of {most}");
    assert!(allowed >= 120, "{allowed}");
    let observe = async || get(&one, PATH, &caller).await;
    let is_allowed = |answer: &Response| answer.status() == 200;
    let what = "a request is allowed again";
    wait_for(what, Duration::from_secs(3), observe, is_allowed).await;
}

#[tokio::test]
async fn without_redis_a_local_rate_holds() {
    let app = token::closed()
        .variable("rate_limit", 20)
        .own_stores()
        .spawn()
        .await;
    let world = World::new(&app).await;
    app.stop_redis().await;
    let path = format!("/api/v1/messages?conversationId={}", world.conversation);
    let caller = token::user(world.owner);
    let first = get(&app, &path, &caller).await.expect_status(200);
    assert_eq!(number(&first, "ratelimit-limit"), 20);
    let observe = async || get(&app, &path, &caller).await;
    let is_limited = |response: &Response| response.status() == 429;
    let what = "the local limit holds";
    wait_for(what, Duration::from_secs(10), observe, is_limited).await;
    let other = token::user(world.other);
    get(&app, &path, &other).await.expect_status(200);
    let line = "rate limiting by each instance alone: Redis unavailable";
    assert!(app.log().contains(line), "{}", app.log());
    app.start_redis().await;
    let observe = async || get(&app, &path, &other).await;
    let is_limited = |response: &Response| response.status() == 429;
    let what = "the limit of all instances holds again";
    wait_for(what, Duration::from_secs(10), observe, is_limited).await;
}

/// A time that was stored before the clock went back, or by a foreign hand.
#[tokio::test]
async fn a_clock_that_goes_back_locks_no_caller_out() {
    let app = token::closed().variable("rate_limit", 60).spawn().await;
    let user = unique_user();
    let ahead = (token::now() + 3600) * 1_000_000;
    let mut redis = app.redis().await;
    let key = format!("rate:user:{user}");
    let _: () = redis.set(&key, ahead).await.expect("a stored time");
    let caller = token::user(user);
    let refused = get(&app, PATH, &caller).await.expect_status(429);
    assert!(number(&refused, "retry-after") <= 1);
    assert!(number(&refused, "ratelimit-reset") <= 60);
    let observe = async || get(&app, PATH, &caller).await;
    let is_allowed = |response: &Response| response.status() == 200;
    let what = "the caller is allowed again";
    wait_for(what, Duration::from_secs(5), observe, is_allowed).await;
    let _: () = redis.set(&key, "not a number").await.expect("a value");
    get(&app, PATH, &caller).await.expect_status(200);
}

/// What is left of a caller's rate after a request.
async fn left_after(app: &App, path: &str, body: Value) -> u64 {
    let request = app.request(Method::POST, path).json(&body);
    let request = request.header("authorization", token::service());
    number(
        &send(request).await.expect_status(201),
        "ratelimit-remaining",
    )
}

#[tokio::test]
async fn a_request_is_charged_by_its_cost() {
    let app = token::closed().variable("rate_limit", 100).spawn().await;
    let users = |count| -> Vec<i64> { (0..count).map(|_| unique_user()).collect() };
    for (participants, cost) in [(2, 1), (9, 1), (10, 2), (100, 11)] {
        let body = json!({"participantIds": users(participants)});
        let left = left_after(&app, "/api/v1/conversations", body).await;
        assert_eq!(left, 100 - cost, "{participants} participants");
    }
    let body = json!({"participantIds": users(2), "padding": "x".repeat(40_000)});
    let left = left_after(&app, "/api/v1/conversations", body).await;
    assert_eq!(left, 100 - 3, "40 kB");
}

#[tokio::test]
async fn a_body_that_hides_its_length_is_charged_too() {
    let app = token::closed().variable("rate_limit", 100).spawn().await;
    let body = json!({"participantIds": [unique_user()], "padding": "x".repeat(40_000)});
    let chunk = Ok::<_, std::io::Error>(body.to_string());
    let body = reqwest::Body::wrap_stream(futures::stream::iter([chunk]));
    let request = app
        .request(Method::POST, "/api/v1/conversations")
        .body(body);
    let request = request
        .header("content-type", "application/json")
        .header("authorization", token::service());
    let created = send(request).await.expect_status(201);
    assert_eq!(number(&created, "ratelimit-remaining"), 97);
}

/// What costs more than the whole limit waits for a full bucket, and is not refused for good.
#[tokio::test]
async fn a_request_whose_cost_is_refused_succeeds_after_the_wait_that_it_is_given() {
    let app = token::closed().variable("rate_limit", 60).spawn().await;
    let caller = token::service();
    let users: Vec<i64> = (0..500).map(|_| unique_user()).collect();
    let create = async || {
        let request = app.request(Method::POST, "/api/v1/conversations");
        let request = request.header("authorization", &caller);
        send(request.json(&json!({"participantIds": users}))).await
    };
    create().await.expect_status(201);
    for _ in 0..6 {
        get(&app, PATH, &caller).await.expect_status(200);
    }
    let refused = create().await.expect_status(429);
    let wait = number(&refused, "retry-after");
    assert!((40..=55).contains(&wait), "{wait}");
}

#[tokio::test]
async fn in_open_mode_the_limit_is_off_unless_it_is_set() {
    let free = testkit::app().await;
    let answer = free.get(PATH).await.expect_status(200);
    assert_eq!(answer.header("ratelimit-limit"), None);
    let app = App::builder().variable("rate_limit", 3).spawn().await;
    let (hasty, calm) = (unique_user(), unique_user());
    let path = |user| format!("/api/v1/conversations?userId={user}");
    for _ in 0..3 {
        app.get(&path(hasty)).await.expect_status(200);
    }
    app.get(&path(hasty)).await.expect_status(429);
    app.get(&path(calm)).await.expect_status(200);
}
