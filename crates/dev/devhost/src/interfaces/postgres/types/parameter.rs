//! Parameters that a guest passes.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{
    datetime::{sql_date, sql_datetime, sql_time},
    driver::{Interval, Null, RangeDecimal},
    range::sql_range,
};
use crate::bindings::spin::postgres::postgres::ParameterValue;

/// A parameter in the driver's form.
pub type Parameter = Box<dyn ToSql + Send + Sync>;

/// Converts a parameter; the error names the malformed value.
pub fn to_sql(value: ParameterValue) -> Result<Parameter> {
    Ok(match value {
        ParameterValue::Boolean(v) => Box::new(v),
        ParameterValue::Int8(v) => Box::new(v),
        ParameterValue::Int16(v) => Box::new(v),
        ParameterValue::Int32(v) => Box::new(v),
        ParameterValue::Int64(v) => Box::new(v),
        ParameterValue::Floating32(v) => Box::new(v),
        ParameterValue::Floating64(v) => Box::new(v),
        ParameterValue::Str(v) => Box::new(v),
        ParameterValue::Binary(v) => Box::new(v),
        ParameterValue::Date(v) => Box::new(sql_date(v)?),
        ParameterValue::Time(v) => Box::new(sql_time(v)?),
        ParameterValue::Datetime(v) => Box::new(sql_datetime(v)?),
        ParameterValue::Timestamp(v) => Box::new(timestamp(v)?),
        ParameterValue::Uuid(v) => Box::new(uuid(&v)?),
        ParameterValue::Jsonb(v) => Box::new(json(&v)?),
        ParameterValue::Decimal(v) => Box::new(decimal(&v)?),
        ParameterValue::Interval(v) => Box::new(Interval(v)),
        ParameterValue::RangeInt32(v) => Box::new(sql_range(v, |v| Ok(*v))?),
        ParameterValue::RangeInt64(v) => Box::new(sql_range(v, |v| Ok(*v))?),
        ParameterValue::RangeDecimal(v) => {
            Box::new(sql_range(v, |v| decimal(v).map(RangeDecimal))?)
        }
        ParameterValue::ArrayInt32(v) => Box::new(v),
        ParameterValue::ArrayInt64(v) => Box::new(v),
        ParameterValue::ArrayDecimal(v) => Box::new(decimals(&v)?),
        ParameterValue::ArrayStr(v) => Box::new(v),
        ParameterValue::DbNull => Box::new(Null),
    })
}

fn timestamp(seconds: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
        .with_context(|| format!("invalid epoch timestamp {seconds}"))
}

fn uuid(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).with_context(|| format!("invalid UUID {text}"))
}

fn json(bytes: &[u8]) -> Result<serde_json::Value> {
    serde_json::from_slice(bytes)
        .with_context(|| format!("invalid JSON {}", String::from_utf8_lossy(bytes)))
}

fn decimals(texts: &[Option<String>]) -> Result<Vec<Option<Decimal>>> {
    let parse = |text: &Option<String>| text.as_deref().map(decimal).transpose();
    texts.iter().map(parse).collect()
}

fn decimal(text: &str) -> Result<Decimal> {
    Decimal::from_str_exact(text).with_context(|| format!("invalid decimal {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_malformed_parameter() {
        for (value, expected) in [
            (ParameterValue::Uuid("x".into()), "invalid UUID x"),
            (ParameterValue::Jsonb(b"{".to_vec()), "invalid JSON {"),
            (ParameterValue::Decimal("1,5".into()), "invalid decimal 1,5"),
            (
                ParameterValue::Date((2023, 2, 29)),
                "invalid date y=2023, m=2, d=29",
            ),
            (ParameterValue::Time((25, 0, 0, 0)), "invalid time 25:0:0:0"),
        ] {
            let error = to_sql(value).err().unwrap();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_timestamp_is_in_seconds() {
        let parameter = format!("{:?}", to_sql(ParameterValue::Timestamp(3723)).unwrap());
        assert!(parameter.contains("1970-01-01T01:02:03Z"), "{parameter}");
    }
}
