//! The harness of the integration tests: real Redis and PostgreSQL, a running app, clients, and
//! fault injection.
//!
//! ```no_run
//! # async fn test() {
//! let app = testkit::app().await;
//! let created = app.post("/api/v1/conversations", serde_json::json!({"participantIds": [1, 2]})).await;
//! created.expect_status(201);
//! # }
//! ```
//!
//! # Layout
//!
//! - [`app()`]: the app that the tests of one binary share; [`App::builder`] for an app of one test
//! - [`Response`], [`EventStream`], [`Socket`]: answers to HTTP calls, event streams, sockets
//! - [`Receiver`]: a receiver of webhooks, good or bad
//! - [`wait_for`], [`unique_user`], [`unique_id`]: conditions instead of sleeps, and data that no
//!   other test has
//! - `faults`: stores and hosts that stop, crash or hang
//! - `data`: the stores of a test binary: external, private, or containers
//! - `cleanup`: tasks at the exit of the test binary
//!
//! Every process ends with the test binary, also when that is killed. With `TESTKIT_LOG` set, the
//! log file of every devhost is named, for `tail -F`. With `TESTKIT_SEALED` set, every devhost seals contents.

mod app;
mod builder;
mod cleanup;
mod data;
mod database;
#[cfg(feature = "docker")]
mod docker;
mod faults;
mod http;
mod receiver;
mod socket;
mod sse;
mod unique;
mod wait;

pub use app::{App, app, socket_path};
pub use builder::{Builder, CONTENT_KEYS, is_sealed};
pub use data::Data;
pub use faults::RedisSnapshot;
pub use http::{Response, send};
pub use receiver::{Answer, Received, Receiver};
pub use socket::{Refused, Socket};
pub use sse::{Event, EventStream};
pub use unique::{unique_id, unique_user};
pub use wait::wait_for;

use std::path::Path;

/// The repository's folder.
pub fn workspace_root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(3).unwrap_or(here)
}
