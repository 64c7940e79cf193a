//! What a guest that fails costs others: nothing.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use testkit::{send, wait_until};

use crate::{PATIENCE, alone, builder, json};

#[tokio::test]
async fn a_panic_is_a_500_without_a_body_and_names_the_request() {
    let app = builder().spawn().await;
    let request = app.request(Method::GET, "/panic");
    let response = send(request.header("x-request-id", "the-request")).await;
    assert_eq!(response.expect_status(500).text(), "");
    wait_until("the log names the request", PATIENCE, async || {
        let log = app.log();
        let line = log.lines().find(|line| line.contains("Instance failed"));
        line.is_some_and(|line| line.contains("conformance-guest") && line.contains("the-request"))
    })
    .await;
    assert!(app.log().contains("[conformance-guest] as the test wished"));
}

#[tokio::test]
async fn those_who_share_the_instance_are_answered_and_nobody_else_is_affected() {
    let app = alone().spawn().await;
    json(&app, "/instance").await;
    let neighbour = json(&app, "/neighbour/instance").await;
    // One after another: an instance takes one request at a time, until that waits.
    let sleepers = join_all((0..4).map(|number| {
        let app = &app;
        async move {
            tokio::time::sleep(Duration::from_millis(100) * number).await;
            app.get("/sleep?ms=20000").await
        }
    }));
    let panicking = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        join_all((0..4).map(|_| app.get("/panic?ms=300"))).await
    };
    let start = Instant::now();
    let (sleepers, panicking) = futures::join!(sleepers, panicking);
    assert!(panicking.iter().all(|response| response.status() == 500));
    assert!(sleepers.iter().all(|response| response.status() == 500));
    assert!(start.elapsed() < Duration::from_secs(15));

    assert_eq!(json(&app, "/instance").await["served"], 1);
    let after = json(&app, "/neighbour/instance").await;
    assert_eq!(after["instance"], neighbour["instance"]);
}
