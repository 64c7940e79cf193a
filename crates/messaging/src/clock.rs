//! Waiting, with the host's monotonic clock, and telling the time.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use futures::future::{Either, select};
pub use spin_sdk::time::sleep;

/// The time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed;

/// How late a [`timeout`] may come under [`ticking`].
const TICK: Duration = Duration::from_millis(100);

thread_local! {
    /// Whether what is polled right now is polled again at every tick.
    static TICKING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` and looks at it at least at every tick, so that the timeouts in
/// it need no timers of their own: a timer is a call to the host and its
/// cancellation another, and a request has many timeouts and hardly ever one
/// that passes.
pub async fn ticking<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut tick = pin!(sleep(TICK));
    poll_fn(|context| {
        loop {
            let outside = TICKING.replace(true);
            let polled = work.as_mut().poll(context);
            TICKING.set(outside);
            if polled.is_ready() || tick.as_mut().poll(context).is_pending() {
                return polled;
            }
            tick.set(sleep(TICK));
        }
    })
    .await
}

/// Runs `work` for `limit` at the longest; then it is dropped.
pub async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    if !TICKING.get() {
        return match select(work, pin!(sleep(limit))).await {
            Either::Left((value, _)) => Ok(value),
            Either::Right(_) => Err(Elapsed),
        };
    }
    let until = Instant::now() + limit;
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Ok(value)),
        Poll::Pending if Instant::now() >= until => Poll::Ready(Err(Elapsed)),
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
