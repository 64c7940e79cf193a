//! When a delivery is tried again.

use std::rc::Rc;

use platform::config;
use platform::postgres::ParameterValue;
use platform::postgres::parameters::numbers;

use crate::{Error, Result};

/// The seconds after each failed attempt; behind them a delivery is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Rc<[i64]>);

impl Schedule {
    /// The operator's.
    pub async fn configured() -> Result<Self> {
        let text = config::text("webhook_retry_schedule").await?;
        Self::parse(&text).ok_or_else(|| {
            Error::internal("variable webhook_retry_schedule is not a list of seconds")
        })
    }

    /// Reads whole numbers with commas between; `None` if it is not that, or empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let seconds = text.split(',').map(|part| part.trim().parse::<u32>().ok());
        let seconds: Option<Vec<i64>> = seconds.map(|number| number.map(i64::from)).collect();
        seconds.map(|seconds| Self(seconds.into()))
    }

    /// As the database's functions take it.
    pub(super) fn parameter(&self) -> ParameterValue {
        numbers(self.0.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_a_list_of_seconds() {
        assert_eq!(Schedule::parse("5, 300").unwrap().0.as_ref(), [5, 300]);
        for text in ["", "5,", "x", "-1", "1.5", "99999999999"] {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
    }
}
