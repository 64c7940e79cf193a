//! What devhost promises to guests and their clients, shown by the conformance guest.

mod instances;
mod outgoing;
mod postgres_calls;
mod redis_calls;
mod redis_triggers;
mod routes;
mod start_and_end;
mod streams;
mod traps;

use std::time::Duration;

use serde_json::Value;
use testkit::{App, Builder, unique_id};
use tokio::sync::OnceCell;

const PATIENCE: Duration = Duration::from_secs(20);

fn builder() -> Builder {
    let manifest = testkit::workspace_root().join("tests/conformance-guest/spin.toml");
    let channel = format!("conformance-{}", unique_id());
    App::builder()
        .manifest(manifest)
        .variable("channel", channel)
}

/// One event loop: instances are shared by all connections.
fn alone() -> Builder {
    builder().arg("--event-loops").arg(1)
}

/// The app that those tests share which neither stop it nor stop its stores.
async fn guest() -> &'static App {
    static PROBE: OnceCell<App> = OnceCell::const_new();
    PROBE.get_or_init(|| builder().spawn()).await
}

async fn json(app: &App, path: &str) -> Value {
    app.get(path).await.expect_status(200).json()
}

/// The values that the guest got for a header, in their order.
fn header_values(headers: &Value, name: &str) -> Vec<String> {
    let pairs = headers.as_array().expect("headers are a list");
    let named = pairs.iter().filter(|pair| pair[0] == name);
    named
        .map(|pair| pair[1].as_str().expect("a value is text").to_owned())
        .collect()
}
