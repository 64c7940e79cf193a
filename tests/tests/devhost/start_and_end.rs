//! Starts with an invalid configuration, and shutdown.

use std::time::{Duration, Instant};

use testkit::{App, unique_id};

use crate::{builder, logged};

#[tokio::test]
async fn requests_in_flight_are_finished_and_feeds_are_ended() {
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

#[tokio::test]
async fn unknown_keys_are_named_with_their_file() {
    let folder = testkit::workspace_root().join(format!("target/conformance-{}", unique_id()));
    std::fs::create_dir_all(&folder).expect("the folder is made");
    let manifest = folder.join("spin.toml");
    let text = "spin_manifest_version = 2\n[application]\nname = 'x'\nnames = 'y'\n";
    std::fs::write(&manifest, text).expect("the manifest is written");
    let error = App::builder()
        .manifest(&manifest)
        .try_spawn()
        .await
        .map(|_| ())
        .expect_err("the manifest is refused")
        .to_string();
    std::fs::remove_dir_all(&folder).expect("the folder is removed");
    assert!(error.contains("unknown field `names`"), "{error}");
    assert!(error.contains(&manifest.display().to_string()), "{error}");
}

#[tokio::test]
async fn a_missing_variable_is_named_with_the_way_to_set_it() {
    let folder = testkit::workspace_root().join(format!("target/conformance-{}", unique_id()));
    std::fs::create_dir_all(&folder).expect("the folder is made");
    let manifest = folder.join("spin.toml");
    let text = "spin_manifest_version = 2\n[application]\nname = 'x'\n\
                [variables]\nmissing_here = { required = true }\n";
    std::fs::write(&manifest, text).expect("the manifest is written");
    let error = App::builder()
        .manifest(&manifest)
        .try_spawn()
        .await
        .map(|_| ())
        .expect_err("a value is missing")
        .to_string();
    std::fs::remove_dir_all(&folder).expect("the folder is removed");
    assert!(
        error.contains("`missing_here` (set MISSING_HERE"),
        "{error}"
    );
}
