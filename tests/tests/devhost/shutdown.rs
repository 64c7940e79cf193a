//! Shutdown.

use std::time::{Duration, Instant};

use crate::{builder, logged};

#[tokio::test]
async fn requests_in_flight_are_finished_and_event_streams_are_ended() {
    let app = builder().spawn().await;
    let sleeping = app.get("/sleep?ms=3000");
    let feed = app.get("/feed?chunks=100000&ms=50");
    let ending = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        app.devhost().terminate();
        let start = Instant::now();
        let status = app.exit_status().await;
        (status, start.elapsed())
    };
    let (sleeping, feed, (status, took)) = futures::join!(sleeping, feed, ending);
    sleeping.expect_status(200);
    assert!(feed.text().contains("data: 0"));
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test]
async fn work_that_an_answer_left_behind_is_finished() {
    let app = builder().spawn().await;
    app.get("/later?ms=2000").await.expect_status(200);
    app.devhost().terminate();
    app.exit_status().await;
    logged(&app, "what was left is done").await;
}
