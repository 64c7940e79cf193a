//! Waiting, with the host's monotonic clock, and telling the time.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use futures::future::{Either, select};
pub use spin_sdk::time::sleep;

/// The time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed;

/// How late a [`timeout`] may come under [`ticking`].
const TICK: Duration = Duration::from_millis(100);

thread_local! {
    /// How many ticks have passed for what is polled right now, if it ticks.
    static TICKS: Cell<Option<u128>> = const { Cell::new(None) };
}

/// Runs `work` and looks at it at least at every tick, so that the timeouts in
/// it count ticks and need neither timers of their own nor the clock: those are
/// calls to the host, and a request has many timeouts and hardly ever one that
/// passes.
pub async fn ticking<T>(work: impl Future<Output = T>) -> T {
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

/// Runs `work` for `limit` at the longest; then it is dropped.
pub async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    let Some(now) = TICKS.get() else {
        return match select(work, pin!(sleep(limit))).await {
            Either::Left((value, _)) => Ok(value),
            Either::Right(_) => Err(Elapsed),
        };
    };
    // The next tick may come at once, and so does not count.
    let until = now + limit.as_millis().div_ceil(TICK.as_millis()) + 1;
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Ok(value)),
        Poll::Pending if TICKS.get() >= Some(until) => Poll::Ready(Err(Elapsed)),
        Poll::Pending => Poll::Pending,
    })
    .await
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
