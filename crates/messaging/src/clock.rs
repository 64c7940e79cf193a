//! Waiting, with the host's monotonic clock, and telling the time.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
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

/// The time as clients see it: RFC 3339 in UTC with milliseconds.
#[must_use]
pub fn now() -> String {
    rfc3339(SystemTime::now())
}

fn rfc3339(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_a_z() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_042_999);
        assert_eq!(rfc3339(at), "2023-11-14T22:13:20.042Z");
    }
}
