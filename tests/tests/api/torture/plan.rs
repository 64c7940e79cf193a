//! How long the test runs, and with how much of everything.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;

/// Seconds of changes and faults, before the checks.
const SECONDS: &str = "TORTURE_SECONDS";
/// What to choose by.
const SEED: &str = "TORTURE_SEED";
/// The faults by name, with commas between; all if it is not set.
const FAULTS: &str = "TORTURE_FAULTS";
/// With the other tests around it, a run with its checks takes about a minute.
const DEFAULT_SECONDS: u64 = 35;

/// The budget of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub duration: Duration,
    pub users: usize,
    pub rooms: usize,
    /// How many conversations there may be in the end.
    pub most_rooms: usize,
    pub actors: usize,
    pub faults: Option<Vec<String>>,
}

impl Plan {
    /// The default budget, but for what the environment sets.
    pub fn from_environment() -> Self {
        let faults = std::env::var(FAULTS).ok();
        let faults = faults.map(|names| names.split(',').map(str::to_owned).collect());
        Self {
            seed: number(SEED).unwrap_or_else(|| fastrand::u64(..1_000_000_000)),
            duration: Duration::from_secs(number(SECONDS).unwrap_or(DEFAULT_SECONDS)),
            users: 14,
            rooms: 8,
            most_rooms: 24,
            actors: 12,
            faults,
        }
    }

    /// A generator that differs for each `stream` of choices.
    pub fn rng(&self, stream: usize) -> Rng {
        Rng::with_seed(
            self.seed
                .wrapping_mul(1_000_003)
                .wrapping_add(stream as u64),
        )
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
    )
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, seed) = (self.duration.as_secs(), self.seed);
        write!(
            f,
            "{seconds} s, {} actors; to repeat: {SECONDS}={seconds} {SEED}={seed}",
            self.actors
        )
    }
}
