//! The lifetime and the concurrency of instances.
//!
//! Every event loop has its own instances, so tests that count them run one event loop.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::wait_for;

use crate::{TIMEOUT, builder, json, one_event_loop};

#[tokio::test]
async fn an_instance_serves_one_request_after_the_other() {
    let app = one_event_loop().spawn().await;
    let first = json(&app, "/instance").await;
    let second = json(&app, "/instance").await;
    assert_eq!(first["instance"], second["instance"]);
    assert_eq!(second["served"], 2);
}

#[tokio::test]
async fn an_instance_serves_requests_at_once() {
    let app = one_event_loop().spawn().await;
    json(&app, "/instance").await;
    let sleeping = join_all((0..8).map(|_| json(&app, "/sleep?ms=500"))).await;
    let most = sleeping.iter().map(|state| state["mostAtOnce"].as_u64());
    assert!(most.max() > Some(Some(1)), "{sleeping:?}");
}

#[tokio::test]
async fn requests_that_write_at_once_meet_in_one_instance() {
    let app = one_event_loop().spawn().await;
    let writes = (0..16).map(|_| async {
        let state = app.post("/sleep?ms=500", &json!({})).await;
        state.expect_status(200).json()["mostAtOnce"].as_u64()
    });
    let most = join_all(writes).await.into_iter().max();
    assert_eq!(most, Some(Some(16)));
}

#[tokio::test]
async fn connections_are_distributed_over_the_event_loops() {
    let app = builder()
        .arg("--event-loops")
        .arg(3)
        .arg("--max-instance-concurrent-reuse-count")
        .arg(64)
        .spawn()
        .await;
    let sleeping = join_all((0..12).map(|_| json(&app, "/sleep?ms=500"))).await;
    let most = sleeping.iter().map(|state| state["mostAtOnce"].as_u64());
    // Twelve, if one event loop had them all.
    assert!(most.max() <= Some(Some(4)), "{sleeping:?}");
}

#[tokio::test]
async fn an_instance_is_dropped_after_the_maximum_of_requests() {
    let app = one_event_loop()
        .arg("--max-instance-reuse-count")
        .arg(2)
        .spawn()
        .await;
    let mut served = Vec::new();
    for _ in 0..4 {
        served.push(json(&app, "/instance").await["served"].as_u64());
    }
    assert_eq!(served, [Some(1), Some(2), Some(1), Some(2)]);
}

#[tokio::test]
async fn an_idle_instance_is_dropped() {
    let app = builder()
        .arg("--idle-instance-timeout")
        .arg("50ms")
        .spawn()
        .await;
    let first = json(&app, "/instance").await;
    let observe = async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        json(&app, "/instance").await
    };
    let is_another = |state: &Value| state["instance"] != first["instance"];
    wait_for("another instance answers", TIMEOUT, observe, is_another).await;
}

#[tokio::test]
async fn a_request_without_an_answer_fails_after_the_timeout() {
    let app = builder()
        .arg("--request-timeout")
        .arg("200ms")
        .spawn()
        .await;
    let response = app.get("/sleep?ms=20000").await.expect_status(500);
    assert_eq!(response.text(), "");
    json(&app, "/instance").await;
}

#[tokio::test]
async fn a_guest_that_computes_does_not_delay_others() {
    let app = builder().spawn().await;
    json(&app, "/neighbour/instance").await;
    let busy = join_all((0..4).map(|_| json(&app, "/spin?ms=3000")));
    let others = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let start = Instant::now();
        json(&app, "/neighbour/instance").await;
        start.elapsed()
    };
    let (_, waited) = futures::join!(busy, others);
    assert!(waited < Duration::from_secs(2), "{waited:?}");
}
