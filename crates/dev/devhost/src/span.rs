//! Limits of the command line: one value, or a range of values to pick from.

use std::{str::FromStr, time::Duration};

/// One value, or a range `start..end` of which one is picked at random.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span<T> {
    /// Always this value.
    One(T),
    /// From the first up to, but not including, the second.
    Range(T, T),
}

impl Span<u64> {
    /// A value of the span.
    pub fn pick(self) -> u64 {
        match self {
            Self::One(value) => value,
            Self::Range(start, end) => rand::random_range(start..end),
        }
    }
}

impl Span<Duration> {
    /// A value of the span.
    pub fn pick(self) -> Duration {
        match self {
            Self::One(value) => value,
            Self::Range(start, end) => rand::random_range(start..end),
        }
    }
}

fn parse<T: PartialOrd>(
    text: &str,
    value: impl Fn(&str) -> Result<T, String>,
) -> Result<Span<T>, String> {
    let Some((start, end)) = text.split_once("..") else {
        return value(text).map(Span::One);
    };
    let (start, end) = (value(start)?, value(end)?);
    if start < end {
        Ok(Span::Range(start, end))
    } else {
        Err(format!("{text} is empty"))
    }
}

impl FromStr for Span<u64> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text, |text| {
            text.parse().map_err(|error| format!("{text}: {error}"))
        })
    }
}

impl FromStr for Span<Duration> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text, duration)
    }
}

/// A number with `s`, `ms`, `us`, `μs` or `ns`; without a unit in seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number = digits.parse().map_err(|error| format!("{text}: {error}"))?;
    match &text[digits.len()..] {
        "" | "s" => Ok(Duration::from_secs(number)),
        "ms" => Ok(Duration::from_millis(number)),
        "us" | "μs" => Ok(Duration::from_micros(number)),
        "ns" => Ok(Duration::from_nanos(number)),
        unit => Err(format!("{unit} is none of s, ms, us, μs and ns")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_ranges_are_read() {
        assert_eq!("16".parse(), Ok(Span::One(16)));
        assert_eq!("1..8".parse(), Ok(Span::Range(1, 8)));
        assert_eq!("250ms".parse(), Ok(Span::One(Duration::from_millis(250))));
        let seconds = Span::Range(Duration::from_secs(1), Duration::from_secs(8));
        assert_eq!("1..8s".parse(), Ok(seconds));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "x", "8..1", "-1"] {
            assert!(text.parse::<Span<u64>>().is_err(), "{text}");
        }
        for text in ["s", "1h", "1.5s", "2s..1s"] {
            assert!(text.parse::<Span<Duration>>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_picked_is_in_the_range() {
        assert!((0..100).all(|_| (3..6).contains(&Span::Range(3, 6).pick())));
    }
}
