//! Health checks.

use serde_json::json;
use testkit::app;

#[tokio::test]
async fn health_covers_every_store_and_the_relay() {
    let app = app().await;
    let health = app.get("/api/v1/health").await.expect_status(200).json();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["redis"], shape(&health["redis"]));
    assert!(health["relay"]["backlog"].is_i64());
    let redis = app
        .get("/api/v1/health/redis")
        .await
        .expect_status(200)
        .json();
    assert_eq!(redis["status"], "connected");
    assert!(redis["uptime"].is_u64() && redis["connectedClients"].as_u64() > Some(0));
    assert!(
        redis["memoryUsage"]
            .as_str()
            .is_some_and(|text| text.ends_with("MB"))
    );
    assert!(redis["latencyMs"].is_f64());
    let postgres = app
        .get("/api/v1/health/postgres")
        .await
        .expect_status(200)
        .json();
    assert_eq!(postgres["status"], "connected");
    assert!(postgres["latencyMs"].is_f64());
}

/// The members that the specification names, with the values of the response.
fn shape(redis: &serde_json::Value) -> serde_json::Value {
    let member = |name: &str| redis[name].clone();
    json!({
        "status": "connected",
        "uptime": member("uptime"),
        "connectedClients": member("connectedClients"),
        "memoryUsage": member("memoryUsage"),
        "latencyMs": member("latencyMs"),
    })
}

#[tokio::test]
async fn live_touches_no_store_and_accepts_only_get() {
    let app = app().await;
    assert_eq!(
        app.get("/api/v1/health/live")
            .await
            .expect_status(200)
            .json(),
        json!({ "status": "ok" })
    );
    let refused = app
        .post("/api/v1/health/live", json!({}))
        .await
        .expect_status(405);
    assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS"));
}
