//! A guest that fails affects no other.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use testkit::{send, wait_for};

use crate::{TIMEOUT, builder, json, one_event_loop};

#[tokio::test]
async fn a_panic_is_a_500_without_a_body_and_names_the_request() {
    let app = builder().spawn().await;
    let request = app.request(Method::GET, "/panic");
    let response = send(request.header("x-request-id", "the-request")).await;
    assert_eq!(response.expect_status(500).text(), "");
    let names_the_request = |log: &String| {
        let line = log.lines().find(|line| line.contains("Instance failed"));
        line.is_some_and(|line| line.contains("conformance-guest") && line.contains("the-request"))
    };
    let what = "the log names the request";
    wait_for(what, TIMEOUT, async || app.log(), names_the_request).await;
    assert!(app.log().contains("[conformance-guest] as the test wished"));
}

#[tokio::test]
async fn a_trap_ends_the_requests_of_its_instance_and_no_others() {
    let app = one_event_loop().spawn().await;
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
