//! A clock for native tests, which only moves when a test advances it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::ops::Add;
use std::task::{Poll, Waker};
use std::time::Duration;

thread_local! {
    static CLOCK: RefCell<Clock> = RefCell::default();
}

#[derive(Default)]
struct Clock {
    now: Duration,
    timers: BTreeMap<(Duration, u64), Waker>,
    created: u64,
}

/// A moment of this thread's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// The present moment.
    #[must_use]
    pub fn now() -> Self {
        Self(CLOCK.with_borrow(|clock| clock.now))
    }

    /// The time since this moment.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }

    /// The time from `earlier` to this moment; zero if that is later.
    #[must_use]
    pub const fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

/// Waits until the clock has moved on by `duration`.
pub fn sleep(duration: Duration) -> impl Future<Output = ()> {
    let (deadline, id) = CLOCK.with_borrow_mut(|clock| {
        clock.created += 1;
        (clock.now + duration, clock.created)
    });
    poll_fn(move |context| {
        CLOCK.with_borrow_mut(|clock| {
            if clock.now >= deadline {
                clock.timers.remove(&(deadline, id));
                return Poll::Ready(());
            }
            clock.timers.insert((deadline, id), context.waker().clone());
            Poll::Pending
        })
    })
}

/// Moves the clock on and wakes the timers that are due.
pub fn advance(duration: Duration) {
    let due = CLOCK.with_borrow_mut(|clock| {
        clock.now += duration;
        let later = clock.timers.split_off(&(clock.now, u64::MAX));
        std::mem::replace(&mut clock.timers, later)
    });
    due.into_values().for_each(Waker::wake);
}
