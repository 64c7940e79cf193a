//! The rate limit of a caller.

use std::time::{Duration, Instant};

use reqwest::Method;
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
async fn without_redis_no_caller_is_rejected() {
    let app = token::closed()
        .variable("rate_limit", 2)
        .own_stores()
        .spawn()
        .await;
    let world = World::new(&app).await;
    app.stop_redis().await;
    let path = format!("/api/v1/messages?conversationId={}", world.conversation);
    for _ in 0..5 {
        get(&app, &path, &token::user(world.owner))
            .await
            .expect_status(200);
    }
    let said = app
        .log()
        .matches("rate limiting disabled: Redis unavailable")
        .count();
    assert!(said >= 1, "{}", app.log());
    app.start_redis().await;
    let observe = async || get(&app, &path, &token::user(world.owner)).await;
    let is_limited = |answer: &Response| answer.status() == 429;
    let what = "the limit holds again";
    wait_for(what, Duration::from_secs(10), observe, is_limited).await;
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
