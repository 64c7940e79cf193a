//! Limits of the command line: one value, or a range to pick from.

use std::{str::FromStr, time::Duration};

use rand::distr::uniform::SampleUniform;

/// One value, or a range `start..end` from which a value is picked at random.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit<T> {
    /// Always this value.
    Fixed(T),
    /// From the first up to, but not including, the second.
    Range(T, T),
}

impl<T: SampleUniform + PartialOrd> Limit<T> {
    /// The value, or one of the range.
    pub fn pick(self) -> T {
        match self {
            Self::Fixed(value) => value,
            Self::Range(start, end) => rand::random_range(start..end),
        }
    }
}

impl FromStr for Limit<u64> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text, |text| {
            text.parse().map_err(|error| format!("{text}: {error}"))
        })
    }
}

impl FromStr for Limit<Duration> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text, duration)
    }
}

fn parse<T: PartialOrd>(
    text: &str,
    value: impl Fn(&str) -> Result<T, String>,
) -> Result<Limit<T>, String> {
    let Some((start, end)) = text.split_once("..") else {
        return value(text).map(Limit::Fixed);
    };
    let (start, end) = (value(start)?, value(end)?);
    if start < end {
        Ok(Limit::Range(start, end))
    } else {
        Err(format!("{text} is empty"))
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
    fn values_and_ranges_are_parsed() {
        assert_eq!("16".parse(), Ok(Limit::Fixed(16)));
        assert_eq!("1..8".parse(), Ok(Limit::Range(1, 8)));
        assert_eq!(
            "250ms".parse(),
            Ok(Limit::Fixed(Duration::from_millis(250)))
        );
        let seconds = Limit::Range(Duration::from_secs(1), Duration::from_secs(8));
        assert_eq!("1..8s".parse(), Ok(seconds));
    }

    #[test]
    fn malformed_limits_are_refused() {
        for text in ["", "x", "8..1", "-1"] {
            assert!(text.parse::<Limit<u64>>().is_err(), "{text}");
        }
        for text in ["s", "1h", "1.5s", "2s..1s"] {
            assert!(text.parse::<Limit<Duration>>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_picked_value_is_in_the_range() {
        assert!((0..100).all(|_| (3..6).contains(&Limit::Range(3u64, 6).pick())));
    }
}
