//! How a value gets into Redis, and out of it, without ever being wrong.
//!
//! # Layout
//!
//! - [`Epoch`]: the server under which a value was written. A value of another epoch is absent.
//! - [`trust`]: whether cached values may be used now: a lease that no host renews while a change is
//!   missing in Redis.
//! - [`share`]: what follows a committed change.
//!
//! A reader that fills the cache may hold a snapshot that just became old. So a filled value is
//! marked with the reader's lease token, has a TTL of a few seconds and is shown to no other reader
//! until one more look at the database shows that nothing was written in between; every writer drops
//! or extends what it changed after its commit, and so either the writer sees the filled value, or
//! the second look sees the write.

mod epoch;
pub mod share;
pub mod trust;

use std::time::Duration;

use platform::config;

pub use epoch::{Epoch, epoch, epoch_before_change, server_epoch};

use crate::Result;

/// The TTL of a cached value that is not yet confirmed.
pub const UNCONFIRMED_TTL: Duration = Duration::from_secs(5);

/// The TTL of cached messages.
pub async fn message_ttl() -> Result<Duration> {
    config::seconds("message_cache_ttl").await
}

/// The TTL of cached conversations.
pub async fn conversation_ttl() -> Result<Duration> {
    config::seconds("conversation_cache_ttl").await
}
