//! Random numbers from the host.

use std::time::Duration;

/// A random number.
#[cfg(target_family = "wasm")]
#[must_use]
pub fn number() -> u64 {
    spin_sdk::wasip3::random::random::get_random_u64()
}

/// A random number; commands and native tests have no host.
#[cfg(not(target_family = "wasm"))]
#[must_use]
pub fn number() -> u64 {
    rand::random()
}

/// 256 random bits in hexadecimal.
#[must_use]
pub fn secret() -> String {
    (0..4).map(|_| format!("{:016x}", number())).collect()
}

/// A random duration of at least `least` and less than `least + width`: what many instances do
/// now and then, they do not all do at once.
#[must_use]
pub fn duration(least: Duration, width: Duration) -> Duration {
    let width = u64::try_from(width.as_millis()).unwrap_or(u64::MAX);
    least + Duration::from_millis(number() % width.max(1))
}
