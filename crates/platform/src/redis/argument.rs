//! Values in commands.

use std::time::Duration;

use spin_sdk::redis::RedisParameter;

/// A value or key in a command.
pub trait Argument {
    /// The value in the form that the host takes.
    fn parameter(self) -> RedisParameter;
}

impl Argument for &str {
    fn parameter(self) -> RedisParameter {
        RedisParameter::Binary(self.as_bytes().to_vec())
    }
}

impl Argument for &String {
    fn parameter(self) -> RedisParameter {
        self.as_str().parameter()
    }
}

impl Argument for String {
    fn parameter(self) -> RedisParameter {
        RedisParameter::Binary(self.into_bytes())
    }
}

impl Argument for &[u8] {
    fn parameter(self) -> RedisParameter {
        RedisParameter::Binary(self.to_vec())
    }
}

impl Argument for i64 {
    fn parameter(self) -> RedisParameter {
        RedisParameter::Int64(self)
    }
}

impl Argument for usize {
    fn parameter(self) -> RedisParameter {
        RedisParameter::Int64(i64::try_from(self).unwrap_or(i64::MAX))
    }
}

impl Argument for f64 {
    fn parameter(self) -> RedisParameter {
        self.to_string().parameter()
    }
}

/// A duration as `PX` and the like take it.
#[must_use]
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A duration as `EX` and the like take it.
#[must_use]
pub fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Builds a command's arguments from values of different types.
///
/// ```
/// let arguments = platform::args!["conversation:1:messages", 0_i64, -1_i64];
/// assert_eq!(arguments.len(), 3);
/// ```
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::redis::Argument::parameter($value)),*] };
}
