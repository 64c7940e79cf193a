//! The pauses between attempts to connect: exponential backoff with jitter.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::config::variables::Variables;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(100);

/// Exponential backoff up to a ceiling.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The attempt from which on the pause is the ceiling.
    pub attempts: u32,
    ceiling: Duration,
}

impl Backoff {
    /// Reads `redis_retry_attempts` and `redis_retry_delay` (milliseconds),
    /// by default 5 and 3000.
    pub fn from_variables(variables: &Variables) -> Result<Self> {
        let attempts = number(variables, "redis_retry_attempts", 5)?;
        let ceiling = number(variables, "redis_retry_delay", 3000)?;
        Ok(Self {
            attempts: attempts.try_into().unwrap_or(u32::MAX).max(1),
            ceiling: Duration::from_millis(ceiling).max(FIRST),
        })
    }

    /// The pause before the given attempt, counted from 1. `random` is between
    /// 0 and 1; half of the pause does not depend on it.
    pub fn pause(&self, attempt: u32, random: f64) -> Duration {
        let longest = if attempt >= self.attempts {
            self.ceiling
        } else {
            let doublings = (attempt - 1).min(20);
            FIRST.saturating_mul(1 << doublings).min(self.ceiling)
        };
        longest.mul_f64(0.5 + random / 2.0)
    }
}

fn number(variables: &Variables, name: &str, default: u64) -> Result<u64> {
    match variables.get(name) {
        Some(value) => value
            .parse()
            .with_context(|| format!("variable `{name}` is not a number")),
        None => Ok(default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(ceiling: u64) -> Backoff {
        Backoff {
            attempts: 5,
            ceiling: Duration::from_millis(ceiling),
        }
    }

    #[test]
    fn pauses_double_up_to_the_ceiling_and_stay_there() {
        let longest = |attempt| backoff(1000).pause(attempt, 1.0).as_millis();
        let longest: Vec<_> = (1..=7).map(longest).collect();
        assert_eq!(longest, [100, 200, 400, 800, 1000, 1000, 1000]);
    }

    #[test]
    fn half_of_every_pause_is_jitter() {
        assert_eq!(backoff(3000).pause(2, 0.0), Duration::from_millis(100));
        assert_eq!(backoff(3000).pause(2, 1.0), Duration::from_millis(200));
    }
}
