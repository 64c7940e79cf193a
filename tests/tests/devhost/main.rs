//! The behaviour of devhost towards guests and clients, tested with the conformance guest.

mod configuration;
mod instances;
mod manifest_file;
mod outgoing;
mod postgres_calls;
mod redis_calls;
mod redis_triggers;
mod routes;
mod shutdown;
mod streams;
mod strict;
mod traps;

use std::time::Duration;

use serde_json::Value;
use testkit::{App, Builder, unique_id, wait_for};
use tokio::sync::OnceCell;

const TIMEOUT: Duration = Duration::from_secs(20);

/// The conformance guest on a devhost with all of its deviations from Spin.
fn builder() -> Builder {
    let manifest = testkit::workspace_root().join("tests/conformance-guest/spin.toml");
    let channel = format!("conformance-{}", unique_id());
    App::builder()
        .manifest(manifest)
        .variable("channel", channel)
        .env("DEVHOST_STRICT", "false")
}

/// An app with one event loop: all connections share its instances.
fn one_event_loop() -> Builder {
    builder().arg("--event-loops").arg(1)
}

/// The app of all tests that stop neither it nor its stores.
async fn guest() -> &'static App {
    static GUEST: OnceCell<App> = OnceCell::const_new();
    GUEST.get_or_init(|| builder().spawn()).await
}

/// Waits until devhost has logged a text.
async fn logged(app: &App, text: &str) {
    let what = format!("the log has {text:?}");
    wait_for(&what, TIMEOUT, async || app.log(), |log| log.contains(text)).await;
}

async fn json(app: &App, path: &str) -> Value {
    app.get(path).await.expect_status(200).json()
}

/// The values of a header as the guest received them.
fn header_values(headers: &Value, name: &str) -> Vec<String> {
    let pairs = headers.as_array().expect("headers are a list");
    let named = pairs.iter().filter(|pair| pair[0] == name);
    named
        .map(|pair| pair[1].as_str().expect("a value is text").to_owned())
        .collect()
}
