//! Of which time figures are.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::search::Time;
use crate::{Error, Result};

const HOUR_MS: i64 = 3_600_000;

/// By which time messages are counted together, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bucket {
    /// An hour.
    #[default]
    Hour,
    /// A day.
    Day,
}

impl Bucket {
    /// The name in queries and in PostgreSQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    const fn millis(self) -> i64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => 24 * HOUR_MS,
        }
    }

    /// How many a range may have: 31 days by the hour, or a year by the day.
    const fn limit(self) -> i64 {
        match self {
            Self::Hour => 31 * 24,
            Self::Day => 366,
        }
    }

    /// How many there are, up to now, if the request does not say.
    const fn usual(self) -> i64 {
        match self {
            Self::Hour => 24,
            Self::Day => 30,
        }
    }
}

impl FromStr for Bucket {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            _ => Err("must be hour or day"),
        }
    }
}

/// A bounded time, in milliseconds since 1970: `from` ≤ time < `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Range {
    /// The range between two times; 422 if it ends before it begins, or is too long for its buckets.
    /// What is not said is up to `now`, and the usual length.
    pub fn parse(from: Option<Time>, to: Option<Time>, bucket: Bucket, now: i64) -> Result<Self> {
        let to = to.map_or(now, Time::millis);
        let from = from.map_or(to - bucket.usual() * bucket.millis(), Time::millis);
        if from > to {
            return Err(Error::invalid("from", "is after to"));
        }
        if to - from > bucket.limit() * bucket.millis() {
            let limit = bucket.limit();
            let message = format!("is more than {limit} times bucket after from");
            return Err(Error::invalid("to", message));
        }
        Ok(Self { from, to })
    }
}

/// The time up to now in which users are active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Window {
    /// A day.
    #[serde(rename = "1d")]
    Day,
    /// Seven days.
    #[serde(rename = "7d")]
    Week,
    /// Thirty days.
    #[serde(rename = "30d")]
    Month,
}

impl Window {
    /// How many days it has.
    pub(super) const fn days(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }
}

impl FromStr for Window {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "1d" => Ok(Self::Day),
            "7d" => Ok(Self::Week),
            "30d" => Ok(Self::Month),
            _ => Err("must be 1d, 7d or 30d"),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}d", self.days())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Option<Time> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_range_is_bounded_by_its_buckets() {
        let (start, month) = (time("2026-01-01T00:00:00Z"), time("2026-02-01T00:00:00Z"));
        assert!(Range::parse(start, month, Bucket::Hour, 0).is_ok());
        let later = time("2026-02-01T00:00:00.001Z");
        assert!(Range::parse(start, later, Bucket::Hour, 0).is_err());
        assert!(Range::parse(start, later, Bucket::Day, 0).is_ok());
        let later = time("2027-01-02T00:00:00.001Z");
        assert!(Range::parse(start, later, Bucket::Day, 0).is_err());
        assert!(Range::parse(month, start, Bucket::Day, 0).is_err());
    }

    #[test]
    fn without_times_it_is_the_newest() {
        let now = 1_000 * HOUR_MS;
        let range = Range::parse(None, None, Bucket::Hour, now).unwrap();
        assert_eq!((range.from, range.to), (976 * HOUR_MS, now));
        let range = Range::parse(None, None, Bucket::Day, now).unwrap();
        assert_eq!(range.from, 280 * HOUR_MS);
    }
}
