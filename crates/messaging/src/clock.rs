//! Waiting, with the host's monotonic clock.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
pub use spin_sdk::time::sleep;

/// The time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed;

/// Runs `work` for `limit` at the longest; then it is dropped.
pub async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    match select(pin!(work), pin!(sleep(limit))).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(_) => Err(Elapsed),
    }
}
