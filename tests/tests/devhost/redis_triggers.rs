//! Redis triggers.

use redis::AsyncCommands as _;
use testkit::{App, unique_id, wait_for};

use crate::{TIMEOUT, builder, logged};

/// The messages that the guest received; without the empty ones, which devhost sends itself.
async fn received(app: &App, channel: &str) -> Vec<String> {
    let mut all = received_with_checks(app, channel).await;
    all.retain(|message| !message.is_empty());
    all
}

async fn received_with_checks(app: &App, channel: &str) -> Vec<String> {
    let list = format!("{channel}:received");
    app.redis()
        .await
        .lrange(list, 0, -1)
        .await
        .expect("Redis answers")
}

async fn publish(app: &App, channel: &str, payloads: &[&str]) {
    for payload in payloads {
        let _: u64 = app
            .redis()
            .await
            .publish(channel, payload)
            .await
            .expect("Redis answers");
    }
}

/// An app whose Redis may be stopped, and its channel.
async fn with_own_stores() -> (App, String) {
    let channel = format!("conformance-{}", unique_id());
    let app = builder().variable("channel", &channel).own_stores();
    (app.spawn().await, channel)
}

async fn subscribed(app: &App, times: usize) {
    let connected = |log: &String| log.matches("Redis subscriber connected").count();
    let what = format!("the subscriber has connected {times} times");
    let observe = async || app.log();
    wait_for(&what, TIMEOUT, observe, |log| connected(log) >= times).await;
}

#[tokio::test]
async fn messages_are_handled_in_order_and_failures_are_survived() {
    let channel = format!("conformance-{}", unique_id());
    let app = builder().variable("channel", &channel).spawn().await;
    subscribed(&app, 1).await;
    publish(&app, &channel, &["slow", "panic", "one", "error", "two"]).await;
    let observe = async || received(&app, &channel).await;
    let is_last = |messages: &Vec<String>| messages.last().is_some_and(|last| last == "two");
    let messages = wait_for("the last message is handled", TIMEOUT, observe, is_last).await;
    assert_eq!(messages, ["slow", "one", "two"]);

    let instances: Vec<String> = app
        .redis()
        .await
        .lrange(format!("{channel}:instances"), 0, -1)
        .await
        .expect("Redis answers");
    assert!(
        instances
            .iter()
            .all(|instance| instance.contains("\"served\":1"))
    );
}

#[tokio::test]
async fn the_subscriber_comes_back_after_an_outage() {
    let (app, channel) = with_own_stores().await;
    subscribed(&app, 1).await;
    app.stop_redis().await;
    logged(&app, "Redis reconnecting... (attempt 2/5)").await;
    assert!(app.log().contains("Redis connection error: "));
    app.get("/redis/get").await.expect_status(500);
    app.start_redis().await;
    subscribed(&app, 2).await;
    assert_eq!(app.log().matches("Redis connected successfully").count(), 2);
    publish(&app, &channel, &["back"]).await;
    let observe = async || received(&app, &channel).await;
    wait_for("the message is handled", TIMEOUT, observe, |all| {
        all == &["back"]
    })
    .await;
    app.get("/redis/get").await.expect_status(200);
}

#[tokio::test]
async fn a_frozen_subscription_is_opened_again_and_checked() {
    let (app, channel) = with_own_stores().await;
    subscribed(&app, 1).await;
    let observe = async || received_with_checks(&app, &channel).await;
    let one = |all: &Vec<String>| !all.is_empty();
    wait_for("the first check is handled", TIMEOUT, observe, one).await;
    app.pause_redis().await;
    logged(&app, "does not reply to a ping").await;
    app.resume_redis().await;
    subscribed(&app, 2).await;
    let two = |all: &Vec<String>| all.len() >= 2;
    wait_for("the second check is handled", TIMEOUT, observe, two).await;
}
