//! Waiting for a condition. A sleep instead would be too long when the test passes and too short
//! on a busy machine.

use std::fmt::Debug;
use std::panic::Location;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(20);
/// How much of a long value a failure shows: its end, which in a log is the newest.
const SHOWN: usize = 4_000;

/// Polls a value until `accept` accepts it, and returns it.
///
/// # Panics
///
/// When no value is accepted within `limit`; the message says what was expected and shows the
/// last value.
#[track_caller]
pub fn wait_for<T: Debug>(
    what: &str,
    limit: Duration,
    mut observe: impl AsyncFnMut() -> T,
    mut accept: impl FnMut(&T) -> bool,
) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let deadline = Instant::now() + limit;
        loop {
            let value = observe().await;
            if accept(&value) {
                return value;
            }
            assert!(
                Instant::now() < deadline,
                "{caller}: waited {limit:?} in vain until {what}; last seen: {}",
                end_of(&format!("{value:#?}"))
            );
            tokio::time::sleep(POLL).await;
        }
    }
}

fn end_of(text: &str) -> &str {
    let start = text.len().saturating_sub(SHOWN);
    &text[text.ceil_char_boundary(start)..]
}

#[cfg(test)]
mod tests {
    use super::wait_for;
    use std::time::Duration;

    #[tokio::test]
    async fn it_returns_the_first_value_that_is_accepted() {
        let mut tries = 0;
        let observe = async || {
            tries += 1;
            tries
        };
        let third = wait_for("the third try", Duration::from_secs(5), observe, |n| {
            *n == 3
        });
        assert_eq!(third.await, 3);
    }

    #[tokio::test]
    #[should_panic = "in vain until pigs fly; last seen: \"a pig on the ground\""]
    async fn a_failure_shows_the_last_value() {
        let observe = async || "a pig on the ground";
        let is_flying = |pig: &&str| pig.contains("air");
        wait_for("pigs fly", Duration::from_millis(30), observe, is_flying).await;
    }
}
