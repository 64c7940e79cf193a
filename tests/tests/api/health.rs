//! Health checks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use testkit::{App, Response, app, send, unique_id, unique_user, wait_for};
use tests::Room;

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

const READY: &str = "/api/v1/health/ready";

#[tokio::test]
async fn readiness_follows_the_stores_and_says_nothing_more() {
    let app = App::builder().own_stores().spawn().await;
    let ready = app.get(READY).await.expect_status(200);
    assert_eq!(ready.json(), json!({"status": "ok"}));
    app.stop_redis().await;
    let observe = async || app.get(READY).await;
    let is = |status: u16| move |response: &Response| response.status() == status;
    let limit = Duration::from_secs(10);
    let what = "the service is not ready without Redis";
    let refused = wait_for(what, limit, observe, is(503)).await;
    assert_eq!(refused.json(), json!({"status": "unavailable"}));
    assert_eq!(refused.header("retry-after"), Some("1"));
    app.start_redis().await;
    let what = "the service is ready again";
    wait_for(what, limit, observe, is(200)).await;
    app.stop_postgres().await;
    let what = "the service is not ready without PostgreSQL";
    wait_for(what, limit, observe, is(503)).await;
    app.start_postgres().await;
    let what = "the service is ready with both";
    wait_for(what, limit, observe, is(200)).await;
}

#[tokio::test]
async fn readiness_needs_no_identity_and_the_state_of_stores_a_service() {
    let app = tests::token::closed().spawn().await;
    app.get(READY).await.expect_status(200);
    for path in [
        "/api/v1/health",
        "/api/v1/health/redis",
        "/api/v1/health/postgres",
    ] {
        app.get(path).await.expect_status(401);
        let get = |authorization: String| {
            let request = app.request(Method::GET, path);
            send(request.header("authorization", authorization))
        };
        get(tests::token::user(1)).await.expect_status(403);
        get(tests::token::service()).await.expect_status(200);
    }
}

#[tokio::test]
async fn many_probes_are_one_look_a_second() {
    let app = App::builder().own_stores().spawn().await;
    let calls = async || {
        let mut redis = app.redis().await;
        let stats: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut redis)
            .await
            .expect("the figures");
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_ping:calls="));
        let count = line.and_then(|line| line.split(',').next()?.parse::<u64>().ok());
        count.unwrap_or_default()
    };
    let (before, start) = (calls().await, Instant::now());
    for _ in 0..20 {
        let probes = (0..20).map(|_| app.get(READY));
        for response in join_all(probes).await {
            response.expect_status(200);
        }
    }
    let looks = calls().await - before;
    // Each instance looks by itself, and there are as many as requests at once at the most.
    let most = (start.elapsed().as_secs() + 2) * 20;
    assert!(
        looks <= most && looks < 400 / 2,
        "{looks} looks for 400 probes"
    );
}

#[tokio::test]
async fn a_redis_user_without_dangerous_commands_is_enough() {
    let owner = app().await;
    let (name, password) = (format!("user{}", unique_id()), "p?w#/:%");
    let mut redis = owner.redis().await;
    let rules = ["on", "~*", "&*", "+@all", "-@dangerous"];
    let _: () = redis::cmd("ACL")
        .arg("SETUSER")
        .arg(&name)
        .arg(format!(">{password}"))
        .arg(&rules)
        .query_async(&mut redis)
        .await
        .expect("a user");
    let address = owner.data().redis_url();
    let address = address.rsplit_once('@').map_or_else(
        || address.trim_start_matches("redis://"),
        |(_, address)| address,
    );
    // As redis-cli takes it: raw, but for the percent sign.
    let url = format!("redis://{name}:p?w#/:%25@{address}");
    let app = App::builder().same_stores_as(owner);
    let app = app.variable("redis_url", url).spawn().await;
    let health = app
        .get("/api/v1/health/redis")
        .await
        .expect_status(200)
        .json();
    assert_eq!(health["status"], "connected");
    assert!(health["latencyMs"].is_f64(), "{health}");
    for figure in ["uptime", "connectedClients", "memoryUsage"] {
        assert!(health[figure].is_null(), "{health}");
    }
    app.get("/api/v1/health").await.expect_status(200);
    app.get(READY).await.expect_status(200);
    let user = unique_user();
    let path = format!("/api/v1/messages/users/{user}/online");
    app.post(&path, json!({})).await.expect_status(200);
    assert!(!app.log().contains(password) && !app.log().contains("p?w"));
}

/// The samples of a page of metrics; every family has its type and its help before them.
fn samples(page: &str) -> BTreeMap<String, f64> {
    let mut lines = page.lines().peekable();
    let (mut samples, mut family) = (BTreeMap::new(), String::new());
    while let Some(line) = lines.next() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            family = declared.split(' ').next().expect("a name").to_owned();
            let help = lines.next().expect("a line");
            assert!(help.starts_with(&format!("# HELP {family} ")), "{help}");
        } else if line == "# EOF" {
            assert_eq!(lines.peek(), None, "after the end");
            return samples;
        } else {
            let (name, value) = line.rsplit_once(' ').expect("a sample");
            assert!(name.starts_with(&family), "{name} in {family}");
            samples.insert(name.to_owned(), value.parse().expect("a number"));
        }
    }
    panic!("no end in {page}");
}

#[tokio::test]
async fn metrics_follow_messages_and_users() {
    let app = App::builder().own_stores().spawn().await;
    let read = async || {
        let page = app.get("/api/v1/metrics").await.expect_status(200);
        let kind = page.header("content-type").expect("a type");
        assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"));
        samples(&page.text())
    };
    let before = read().await;
    assert_eq!(before["messaging_messages_total"], 0.0);
    assert_eq!(before["messaging_users_online"], 0.0);
    let room = Room::new(&app, 2).await;
    let path = format!("/api/v1/messages/users/{}/online", room.users[1]);
    app.post(&path, json!({})).await.expect_status(200);
    room.say(&app, room.users[0], "counted").await;
    let after = read().await;
    assert_eq!(after["messaging_messages_total"], 1.0);
    assert_eq!(after["messaging_users_online"], 1.0);
    assert_eq!(after["messaging_relay_set_aside_conversations"], 0.0);
    for state in ["pending", "failed", "dead", "disabled"] {
        let name = format!("messaging_webhook_deliveries{{state=\"{state}\"}}");
        assert_eq!(after[&name], 0.0);
    }
    assert_eq!(after["messaging_webhook_delivered_total"], 0.0);
    for store in ["redis", "postgres"] {
        assert_eq!(
            after[&format!("messaging_store_up{{store=\"{store}\"}}")],
            1.0
        );
    }
    app.stop_redis().await;
    let page = read().await;
    assert_eq!(page["messaging_store_up{store=\"redis\"}"], 0.0);
    assert!(!page.contains_key("messaging_users_online"));
    assert_eq!(page["messaging_messages_total"], 1.0);
}
