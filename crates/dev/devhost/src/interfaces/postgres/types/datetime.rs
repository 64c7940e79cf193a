//! Dates and times.

use anyhow::{Context, Result};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::bindings::spin::postgres::postgres::DbValue;

type WitDateTime = (i32, u8, u8, u8, u8, u8, u32);

/// A date in the WIT form. Month and day fit in a byte, as do hour, minute and
/// second below.
#[expect(clippy::cast_possible_truncation)]
pub fn wit_date(date: NaiveDate) -> (i32, u8, u8) {
    (date.year(), date.month() as u8, date.day() as u8)
}

/// A time of day in the WIT form.
#[expect(clippy::cast_possible_truncation)]
pub fn wit_time(time: NaiveTime) -> (u8, u8, u8, u32) {
    (
        time.hour() as u8,
        time.minute() as u8,
        time.second() as u8,
        time.nanosecond(),
    )
}

/// A date and time in the WIT form.
pub fn wit_datetime(time: NaiveDateTime) -> DbValue {
    let (year, month, day) = wit_date(time.date());
    let (hour, minute, second, nanosecond) = wit_time(time.time());
    DbValue::Datetime((year, month, day, hour, minute, second, nanosecond))
}

/// A date in the driver's form.
pub fn sql_date((year, month, day): (i32, u8, u8)) -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .with_context(|| format!("invalid date y={year}, m={month}, d={day}"))
}

/// A time of day in the driver's form.
pub fn sql_time((hour, minute, second, nanosecond): (u8, u8, u8, u32)) -> Result<NaiveTime> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanosecond)
        .with_context(|| format!("invalid time {hour}:{minute}:{second}:{nanosecond}"))
}

/// A date and time in the driver's form.
pub fn sql_datetime(value: WitDateTime) -> Result<NaiveDateTime> {
    let (year, month, day, hour, minute, second, nanosecond) = value;
    let time = sql_time((hour, minute, second, nanosecond))?;
    Ok(sql_date((year, month, day))?.and_time(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_survive_both_conversions() {
        let date = (2024, 2, 29);
        assert_eq!(wit_date(sql_date(date).unwrap()), date);
        let time = (23, 59, 58, 123_456_789);
        assert_eq!(wit_time(sql_time(time).unwrap()), time);
    }
}
