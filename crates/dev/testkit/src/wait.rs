//! Waiting for a condition: a test that sleeps instead is slow when it passes and wrong when
//! the machine is busy.

use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(20);

/// Polls until the condition holds, and fails the test, saying what it waited for, when that
/// takes longer than `limit`.
///
/// # Panics
///
/// When the condition does not hold in time.
pub async fn wait_until(what: &str, limit: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition().await {
        assert!(
            Instant::now() < deadline,
            "waited {limit:?} in vain until {what}"
        );
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::wait_until;
    use std::time::Duration;

    #[tokio::test]
    async fn it_ends_when_the_condition_holds() {
        let mut tries = 0;
        wait_until("the third try", Duration::from_secs(5), async || {
            tries += 1;
            tries == 3
        })
        .await;
        assert_eq!(tries, 3);
    }

    #[tokio::test]
    #[should_panic = "in vain until pigs fly"]
    async fn it_says_what_it_waited_for() {
        wait_until("pigs fly", Duration::from_millis(30), async || false).await;
    }
}
