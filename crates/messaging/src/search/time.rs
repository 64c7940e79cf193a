//! The times that bound a search.

use std::str::FromStr;

use chrono::DateTime;

/// A time in milliseconds since 1970, as exact as messages have theirs. One in between is rounded up:
/// no message is before the next millisecond and not before the time itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(i64);

impl Time {
    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }
}

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = DateTime::parse_from_rfc3339(text)
            .map_err(|_| "must be a time in the form of RFC 3339, such as 2026-01-31T12:00:00Z")?;
        let is_between = time.timestamp_subsec_nanos() % 1_000_000 > 0;
        Ok(Self(time.timestamp_millis() + i64::from(is_between)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_to_milliseconds() {
        let millis = |text: &str| text.parse::<Time>().map(Time::millis);
        assert_eq!(millis("1970-01-01T00:00:01Z"), Ok(1000));
        assert_eq!(millis("1970-01-01T01:00:00.001+01:00"), Ok(1));
        assert_eq!(millis("1970-01-01T00:00:00.000001Z"), Ok(1));
        for text in [
            "",
            "2026-01-01",
            "1767225600",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00",
        ] {
            assert!(millis(text).is_err(), "{text}");
        }
    }
}
