//! One-time tickets for event streams.

use std::time::Duration;

use redis::AsyncCommands;
use reqwest::Method;
use serde_json::Value;
use testkit::{App, send};
use tests::token::{self, bearer, claims, now};

use super::world::{World, app};

const PATH: &str = "/api/v1/messages/stream-tickets";

async fn ticket(app: &App, authorization: &str) -> String {
    let request = app
        .request(Method::POST, PATH)
        .header("authorization", authorization);
    let answer = send(request).await.expect_status(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body: Value = answer.json();
    assert_eq!(body["expiresInSeconds"], 30);
    body["ticket"].as_str().expect("a ticket").into()
}

/// The status of a request with a ticket; a stream is closed at once.
async fn with_ticket(app: &App, path: &str, ticket: &str) -> u16 {
    let request = app.request(Method::GET, &format!("{path}?ticket={ticket}"));
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn a_ticket_opens_one_stream_as_its_owner() {
    let app = app().await;
    let world = World::new(app).await;
    let feed = format!(
        "/api/v1/messages/conversations/{}/events",
        world.conversation
    );
    let first = ticket(app, &token::user(world.owner)).await;
    assert_eq!(first.len(), 64);
    assert_eq!(with_ticket(app, &feed, &first).await, 200);
    assert_eq!(with_ticket(app, &feed, &first).await, 401);
    let own = format!("/api/v1/messages/users/{}/events", world.owner);
    let second = ticket(app, &token::user(world.owner)).await;
    assert_eq!(with_ticket(app, &own, &second).await, 200);
}

#[tokio::test]
async fn a_ticket_grants_no_more_than_its_owner_has() {
    let app = app().await;
    let world = World::new(app).await;
    let feed = format!(
        "/api/v1/messages/conversations/{}/events",
        world.conversation
    );
    let theirs = format!("/api/v1/messages/users/{}/events", world.owner);
    for (path, expected) in [(&feed, 404), (&theirs, 403)] {
        let ticket = ticket(app, &token::user(world.outsider)).await;
        assert_eq!(with_ticket(app, path, &ticket).await, expected);
    }
    let ticket = ticket(app, &token::service()).await;
    assert_eq!(with_ticket(app, &theirs, &ticket).await, 200);
}

#[tokio::test]
async fn a_ticket_is_good_for_streams_only() {
    let app = app().await;
    let world = World::new(app).await;
    let ticket = ticket(app, &token::user(world.owner)).await;
    let path = format!("/api/v1/conversations/{}", world.conversation);
    assert_eq!(with_ticket(app, &path, &ticket).await, 401);
    let feed = format!(
        "/api/v1/messages/conversations/{}/events",
        world.conversation
    );
    for other in ["", "x", &ticket[1..], &ticket.replace(|_: char| true, "0")] {
        assert_eq!(with_ticket(app, &feed, other).await, 401, "{other}");
    }
    // None of these used it up.
    assert_eq!(with_ticket(app, &feed, &ticket).await, 200);
}

#[tokio::test]
async fn redis_holds_the_hash_of_a_ticket_for_half_a_minute() {
    let app = app().await;
    let world = World::new(app).await;
    let ticket = ticket(app, &token::user(world.owner)).await;
    let mut redis = app.redis().await;
    let keys: Vec<String> = redis.keys("ticket:*").await.expect("keys");
    let mut found = false;
    for key in keys {
        assert!(!key.contains(&ticket));
        let record: Option<String> = redis.get(&key).await.expect("a string");
        let record = record.unwrap_or_default();
        assert!(!record.contains(&ticket));
        found |= record.contains(&world.owner.to_string());
        let ttl: i64 = redis.ttl(&key).await.expect("a TTL");
        assert!(ttl <= 30, "{ttl}");
    }
    assert!(found, "the ticket is in Redis");
}

#[tokio::test]
async fn a_stream_ends_with_the_token_that_the_ticket_was_for() {
    let app = app().await;
    let world = World::new(app).await;
    let mut short = claims(world.owner);
    // With the leeway of 30 s it is valid for four more seconds.
    short["exp"] = (now() - 26).into();
    let ticket = ticket(app, &bearer(&short)).await;
    let feed = format!(
        "/api/v1/messages/conversations/{}/events",
        world.conversation
    );
    let mut stream = app.events(&format!("{feed}?ticket={ticket}")).await;
    assert_eq!(stream.status(), 200);
    stream.end_within(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_stream_ends_when_its_user_is_no_longer_a_participant() {
    let app = app().await;
    let world = World::new(app).await;
    let feed = format!(
        "/api/v1/messages/conversations/{}/events",
        world.conversation
    );
    let ticket = ticket(app, &token::user(world.other)).await;
    let mut stream = app.events(&format!("{feed}?ticket={ticket}")).await;
    assert_eq!(stream.status(), 200);
    let leave = format!(
        "/api/v1/conversations/{}/participants/{}",
        world.conversation, world.other
    );
    let request = app.request(Method::DELETE, &leave);
    let request = request.header("authorization", token::user(world.other));
    send(request).await.expect_status(204);
    stream.end_within(Duration::from_secs(20)).await;
}
