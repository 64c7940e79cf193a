//! `--strict`: what devhost does in addition to Spin is off.

use std::time::{Duration, Instant};

use redis::AsyncCommands as _;
use reqwest::Method;
use serde_json::Value;
use testkit::{App, Builder, send, unique_id, wait_for};

use crate::{
    TIMEOUT, builder, json, logged,
    manifest_file::{ManifestFile, guest_file},
    one_event_loop,
};

fn strict() -> Builder {
    builder().arg("--strict")
}

#[tokio::test]
async fn requests_are_answered() {
    let app = strict().spawn().await;
    json(&app, "/instance").await;
    json(&app, "/redis/commands").await;
    json(&app, "/postgres/values").await;
}

#[tokio::test]
async fn a_guest_that_computes_keeps_its_thread() {
    let app = one_event_loop().arg("--strict").spawn().await;
    json(&app, "/neighbour/instance").await;
    let busy = json(&app, "/spin?ms=2000");
    let other = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let start = Instant::now();
        json(&app, "/neighbour/instance").await;
        start.elapsed()
    };
    let (_, waited) = futures::join!(busy, other);
    assert!(waited > Duration::from_secs(1), "{waited:?}");
}

#[tokio::test]
async fn requests_in_flight_are_dropped_on_sigterm() {
    let app = strict().spawn().await;
    let sleeping = app.request(Method::GET, "/sleep?ms=20000").send();
    let ending = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        app.devhost().terminate();
        let start = Instant::now();
        let status = app.exit_status().await;
        (status, start.elapsed())
    };
    let (sleeping, (status, took)) = futures::join!(sleeping, ending);
    assert!(sleeping.is_err(), "{sleeping:?}");
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn devhost_ends_when_redis_closes_a_subscription() {
    let app = strict().own_stores().spawn().await;
    logged(&app, "Redis subscriber connected").await;
    app.stop_redis().await;
    let status = app.exit_status().await;
    assert_eq!(status.code(), Some(1));
    logged(&app, "disconnected from").await;
}

#[tokio::test]
async fn plain_names_of_variables_are_ignored() {
    let text = "[trigger]\n[variables]\nmissing_here = { required = true }\n";
    let manifest = ManifestFile::new(text);
    let started = strict()
        .manifest(manifest.path())
        .env("MISSING_HERE", "value")
        .try_spawn()
        .await;
    let error = started.map(|_| ()).expect_err("a value is missing");
    let hint = "`missing_here` (set SPIN_VARIABLE_MISSING_HERE";
    assert!(error.to_string().contains(hint), "{error}");
}

#[tokio::test]
async fn errors_of_redis_read_as_in_spin() {
    let app = strict().spawn().await;
    let answer = json(&app, "/redis/commands").await;
    assert_eq!(
        answer["wrongType"],
        "Error::Other(\"WRONGTYPE: Operation against a key holding the wrong kind of value\")"
    );
}

/// The process of PostgreSQL that serves the component's connection.
async fn backend(app: &App, path: &str) -> Value {
    let request = app.request(Method::POST, path);
    let response = send(request.body("select pg_backend_pid()")).await;
    response.expect_status(200).json()["rows"].clone()
}

/// Whether two components use the same connection, one after the other.
async fn share_a_connection(app: &App) -> bool {
    let first = backend(app, "/postgres/query").await;
    // The connection returns to its pool with the end of the instance.
    tokio::time::sleep(Duration::from_millis(500)).await;
    backend(app, "/neighbour/postgres/query").await == first
}

#[tokio::test]
async fn each_component_has_a_pool_of_its_own() {
    let idle = ["--idle-instance-timeout", "50ms"];
    let shared = one_event_loop().arg(idle[0]).arg(idle[1]).spawn().await;
    assert!(share_a_connection(&shared).await);
    let strict = one_event_loop().arg(idle[0]).arg(idle[1]).arg("--strict");
    assert!(!share_a_connection(&strict.spawn().await).await);
}

fn two_subscribers(channels: [&str; 2]) -> ManifestFile {
    let component = |id: &str, channel: &str| {
        format!(
            "[[trigger.redis]]\naddress = '{{{{ redis_url }}}}'\nchannel = '{channel}'\n\
             component = '{id}'\n\
             [component.{id}]\nsource = '{}'\nallowed_outbound_hosts = ['redis://{{{{ redis_host }}}}']\n\
             variables = {{ redis_url = '{{{{ redis_url }}}}', channel = '{channel}' }}\n",
            guest_file()
        )
    };
    ManifestFile::new(&format!(
        "[variables]\nredis_url = {{ required = true }}\nredis_host = {{ required = true }}\n{}{}",
        component("one", channels[0]),
        component("two", channels[1])
    ))
}

#[tokio::test]
async fn the_channels_of_one_address_share_a_queue() {
    let (slow, fast) = (unique_id(), unique_id());
    let (slow, fast) = (format!("conformance-{slow}"), format!("conformance-{fast}"));
    let manifest = two_subscribers([&slow, &fast]);
    let app = strict().manifest(manifest.path()).spawn().await;
    let connected = |log: &String| log.matches("Redis subscriber connected").count() == 2;
    wait_for(
        "both subscribers are connected",
        TIMEOUT,
        async || app.log(),
        connected,
    )
    .await;
    let mut redis = app.redis().await;
    let _: u64 = redis.publish(&slow, "slow").await.expect("Redis answers");
    let _: u64 = redis.publish(&fast, "one").await.expect("Redis answers");
    let length = async |channel: &str| -> u64 {
        let list = format!("{channel}:received");
        app.redis().await.llen(list).await.expect("Redis answers")
    };
    let handled = async || length(&fast).await;
    wait_for(
        "the second message is handled",
        TIMEOUT,
        handled,
        |length| *length == 1,
    )
    .await;
    assert_eq!(length(&slow).await, 1, "the first one was handled before");
}
