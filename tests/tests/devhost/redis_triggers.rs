//! Messages of Redis channels.

use redis::AsyncCommands as _;
use testkit::{App, unique_id, wait_until};

use crate::{PATIENCE, builder};

async fn received(app: &App, channel: &str) -> Vec<String> {
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

async fn subscribed(app: &App, times: usize) {
    wait_until("the subscriber is connected", PATIENCE, async || {
        app.log().matches("Redis subscriber connected").count() >= times
    })
    .await;
}

#[tokio::test]
async fn messages_are_handled_in_order_and_failures_are_survived() {
    let channel = format!("conformance-{}", unique_id());
    let app = builder().variable("channel", &channel).spawn().await;
    subscribed(&app, 1).await;
    publish(&app, &channel, &["slow", "panic", "one", "error", "two"]).await;
    wait_until("the last message was handled", PATIENCE, async || {
        received(&app, &channel)
            .await
            .last()
            .is_some_and(|last| last == "two")
    })
    .await;
    assert_eq!(received(&app, &channel).await, ["slow", "one", "two"]);

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
    let channel = format!("conformance-{}", unique_id());
    let app = builder()
        .variable("channel", &channel)
        .own_stores()
        .spawn()
        .await;
    subscribed(&app, 1).await;
    app.stop_redis().await;
    wait_until("it tries to reconnect", PATIENCE, async || {
        app.log().contains("Redis reconnecting... (attempt 2/5)")
    })
    .await;
    assert!(app.log().contains("Redis connection error: "));
    app.get("/redis/get").await.expect_status(500);
    app.start_redis().await;
    subscribed(&app, 2).await;
    assert_eq!(app.log().matches("Redis connected successfully").count(), 2);
    publish(&app, &channel, &["back"]).await;
    wait_until("the message was handled", PATIENCE, async || {
        received(&app, &channel).await == ["back"]
    })
    .await;
    app.get("/redis/get").await.expect_status(200);
}
