//! What integration tests stand on: real Redis and PostgreSQL, a running app, clients, faults.
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
//! - [`app()`]: the app that the tests of one binary share; [`App::builder`] for one's own
//! - [`Response`], [`EventStream`]: what HTTP calls and event streams answer
//! - [`wait_for`], [`unique_user`], [`unique_id`]: conditions instead of sleeps, and data that no
//!   other test has
//! - `devhost`: the process, its log and its end
//! - `data`: the stores of a test binary: the environment's, local ones, or containers
//! - `cleanup`: what is undone when the test binary ends
//!
//! Whatever was started ends with the test binary, also when that is killed.

mod app;
mod builder;
mod cleanup;
mod data;
mod database;
mod devhost;
#[cfg(feature = "docker")]
mod docker;
mod faults;
mod http;
mod sse;
mod unique;
mod wait;

pub use app::{App, app};
pub use builder::Builder;
pub use data::Data;
pub use devhost::Devhost;
pub use http::{Response, send};
pub use sse::{Event, EventStream};
pub use unique::{unique_id, unique_user};
pub use wait::{wait_for, wait_until};

use std::path::Path;

/// The repository's folder.
pub fn workspace_root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(3).unwrap_or(here)
}
