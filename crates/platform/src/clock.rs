//! Waiting, deadlines, and the time.
//!
//! Native tests have no host and so no timer: there time stands still until a test calls
//! [`manual::advance`].

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use futures::future::{Either, select};

#[cfg(not(target_family = "wasm"))]
pub use manual::{Instant, sleep};
#[cfg(target_family = "wasm")]
pub use spin_sdk::time::sleep;
#[cfg(target_family = "wasm")]
pub use std::time::Instant;

#[cfg(not(target_family = "wasm"))]
pub mod manual;

/// The deadline passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed;

/// How late a [`timeout`] may come under [`with_coarse_timer`].
const TICK: Duration = Duration::from_millis(100);

thread_local! {
    /// How many ticks have passed for the work that is polled right now, if it has a coarse timer.
    static TICKS: Cell<Option<u128>> = const { Cell::new(None) };
}

/// Runs `work` with one coarse timer for all timeouts in it: they count its ticks and need neither
/// timers of their own nor the clock. A timer is two calls to the host and a look at the clock is
/// one; a request has many timeouts, and hardly any of them passes.
pub async fn with_coarse_timer<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut tick = pin!(sleep(TICK));
    let mut ticks = 0;
    poll_fn(|context| {
        loop {
            let outside = TICKS.replace(Some(ticks));
            let polled = work.as_mut().poll(context);
            TICKS.set(outside);
            if polled.is_ready() || tick.as_mut().poll(context).is_pending() {
                return polled;
            }
            ticks += 1;
            tick.set(sleep(TICK));
        }
    })
    .await
}

/// Runs `work` until the deadline; then it is dropped.
pub async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    let Some(now) = TICKS.get() else {
        return match select(work, pin!(sleep(limit))).await {
            Either::Left((value, _)) => Ok(value),
            Either::Right(_) => Err(Elapsed),
        };
    };
    // The next tick may come at once, and so does not count.
    let deadline = now + limit.as_millis().div_ceil(TICK.as_millis()) + 1;
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Ok(value)),
        Poll::Pending if TICKS.get() >= Some(deadline) => Poll::Ready(Err(Elapsed)),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// The time in the form that clients see: RFC 3339 in UTC with milliseconds.
#[must_use]
pub fn now() -> String {
    rfc3339(SystemTime::now())
}

/// A Unix time in milliseconds in that form; `None` where no clock gives such a time.
#[must_use]
pub fn rfc3339_of_unix_ms(at: f64) -> Option<String> {
    let is_in_range = (0.0..YEAR_10000).contains(&at);
    let at = Duration::try_from_secs_f64(at / 1000.0)
        .ok()
        .filter(|_| is_in_range)?;
    Some(rfc3339(SystemTime::UNIX_EPOCH + at))
}

/// The time of a text in RFC 3339, in Unix milliseconds; `None` of any other text.
#[must_use]
pub fn unix_ms_of_rfc3339(text: &str) -> Option<i64> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(at.timestamp_millis())
}

/// The present time in Unix milliseconds.
#[must_use]
pub fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// In Unix milliseconds: where RFC 3339 ends.
const YEAR_10000: f64 = 253_402_300_800_000.0;

fn rfc3339(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests;
