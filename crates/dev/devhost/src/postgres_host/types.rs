//! Values between Postgres and the WIT types, converted as Spin does.

use anyhow::{Context, Result};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use postgres_range::{BoundSided, BoundType, Normalizable, Range, RangeBound};
use rust_decimal::Decimal;
use tokio_postgres::types::{FromSql, ToSql, Type};
use uuid::Uuid;

use super::raw::{Interval, Null, RangeDecimal, Raw};
use crate::bindings::spin::postgres::postgres::{
    Column, DbDataType, DbValue, ParameterValue, RangeBoundKind, Row,
};

/// A parameter in the driver's form.
pub type Parameter = Box<dyn ToSql + Send + Sync>;

/// A range in the WIT form: lower and upper bound, absent where it is open.
type WitRange<T> = (Option<(T, RangeBoundKind)>, Option<(T, RangeBoundKind)>);

/// A row's columns: their names and types.
pub fn columns(row: &tokio_postgres::Row) -> Vec<Column> {
    let column = |column: &tokio_postgres::Column| Column {
        name: column.name().to_owned(),
        data_type: data_type(column.type_()),
    };
    row.columns().iter().map(column).collect()
}

/// A row's values.
pub fn row(row: &tokio_postgres::Row) -> Result<Row> {
    (0..row.len()).map(|index| value(row, index)).collect()
}

fn data_type(sql: &Type) -> DbDataType {
    match *sql {
        Type::BOOL => DbDataType::Boolean,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::BYTEA => DbDataType::Binary,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INTERVAL => DbDataType::Interval,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        _ => DbDataType::Other(sql.name().to_owned()),
    }
}

fn value(row: &tokio_postgres::Row, index: usize) -> Result<DbValue> {
    match *row.columns()[index].type_() {
        Type::BOOL => read(row, index, DbValue::Boolean),
        Type::INT2 => read(row, index, DbValue::Int16),
        Type::INT4 => read(row, index, DbValue::Int32),
        Type::INT8 => read(row, index, DbValue::Int64),
        Type::FLOAT4 => read(row, index, DbValue::Floating32),
        Type::FLOAT8 => read(row, index, DbValue::Floating64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => read(row, index, DbValue::Str),
        Type::BYTEA => read(row, index, DbValue::Binary),
        Type::DATE => read(row, index, |date| DbValue::Date(wit_date(date))),
        Type::TIME => read(row, index, |time| DbValue::Time(wit_time(time))),
        // Spin fails to read a `timestamptz`, so that guests must fail here too.
        Type::TIMESTAMP | Type::TIMESTAMPTZ => read(row, index, wit_datetime),
        Type::UUID => read(row, index, |uuid: Uuid| DbValue::Uuid(uuid.to_string())),
        Type::JSONB => read(row, index, |json: serde_json::Value| {
            DbValue::Jsonb(json.to_string().into_bytes())
        }),
        Type::NUMERIC => read(row, index, |number: Decimal| {
            DbValue::Decimal(number.to_string())
        }),
        Type::INTERVAL => read(row, index, |Interval(interval)| DbValue::Interval(interval)),
        Type::INT4_RANGE => read(row, index, |range| {
            DbValue::RangeInt32(wit_range(&range, |v: &i32| *v))
        }),
        Type::INT8_RANGE => read(row, index, |range| {
            DbValue::RangeInt64(wit_range(&range, |v: &i64| *v))
        }),
        Type::NUM_RANGE => read(row, index, |range| {
            DbValue::RangeDecimal(wit_range(&range, |RangeDecimal(v)| v.to_string()))
        }),
        Type::INT4_ARRAY => read(row, index, DbValue::ArrayInt32),
        Type::INT8_ARRAY => read(row, index, DbValue::ArrayInt64),
        Type::NUMERIC_ARRAY => read(row, index, |numbers: Vec<Option<Decimal>>| {
            DbValue::ArrayDecimal(numbers.iter().map(|v| v.map(|v| v.to_string())).collect())
        }),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => {
            read(row, index, DbValue::ArrayStr)
        }
        _ => read(row, index, |Raw(bytes)| DbValue::Unsupported(bytes)),
    }
}

fn read<'r, T: FromSql<'r>>(
    row: &'r tokio_postgres::Row,
    index: usize,
    convert: impl FnOnce(T) -> DbValue,
) -> Result<DbValue> {
    Ok(row
        .try_get::<_, Option<T>>(index)?
        .map_or(DbValue::DbNull, convert))
}

/// Converts a parameter; the error says what is wrong with it.
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
        ParameterValue::Datetime((year, month, day, hour, minute, second, nanosecond)) => Box::new(
            sql_date((year, month, day))?.and_time(sql_time((hour, minute, second, nanosecond))?),
        ),
        ParameterValue::Timestamp(v) => Box::new(
            DateTime::from_timestamp(v, 0)
                .with_context(|| format!("invalid epoch timestamp {v}"))?,
        ),
        ParameterValue::Uuid(v) => {
            Box::new(Uuid::parse_str(&v).with_context(|| format!("invalid UUID {v}"))?)
        }
        ParameterValue::Jsonb(v) => Box::new(
            serde_json::from_slice::<serde_json::Value>(&v)
                .with_context(|| format!("invalid JSON {}", String::from_utf8_lossy(&v)))?,
        ),
        ParameterValue::Decimal(v) => Box::new(decimal(&v)?),
        ParameterValue::Interval(v) => Box::new(Interval(v)),
        ParameterValue::RangeInt32(v) => Box::new(sql_range(v, |v| Ok(*v))?),
        ParameterValue::RangeInt64(v) => Box::new(sql_range(v, |v| Ok(*v))?),
        ParameterValue::RangeDecimal(v) => {
            Box::new(sql_range(v, |v| decimal(v).map(RangeDecimal))?)
        }
        ParameterValue::ArrayInt32(v) => Box::new(v),
        ParameterValue::ArrayInt64(v) => Box::new(v),
        ParameterValue::ArrayDecimal(v) => Box::new(
            v.iter()
                .map(|v| v.as_deref().map(decimal).transpose())
                .collect::<Result<Vec<_>>>()?,
        ),
        ParameterValue::ArrayStr(v) => Box::new(v),
        ParameterValue::DbNull => Box::new(Null),
    })
}

fn decimal(text: &str) -> Result<Decimal> {
    Decimal::from_str_exact(text).with_context(|| format!("invalid decimal {text}"))
}

// Months, days, hours, minutes and seconds all fit in a byte.
#[expect(clippy::cast_possible_truncation)]
fn wit_date(date: NaiveDate) -> (i32, u8, u8) {
    (date.year(), date.month() as u8, date.day() as u8)
}

#[expect(clippy::cast_possible_truncation)]
fn wit_time(time: NaiveTime) -> (u8, u8, u8, u32) {
    (
        time.hour() as u8,
        time.minute() as u8,
        time.second() as u8,
        time.nanosecond(),
    )
}

fn wit_datetime(time: NaiveDateTime) -> DbValue {
    let (year, month, day) = wit_date(time.date());
    let (hour, minute, second, nanosecond) = wit_time(time.time());
    DbValue::Datetime((year, month, day, hour, minute, second, nanosecond))
}

fn sql_date((year, month, day): (i32, u8, u8)) -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .with_context(|| format!("invalid date y={year}, m={month}, d={day}"))
}

fn sql_time((hour, minute, second, nanosecond): (u8, u8, u8, u32)) -> Result<NaiveTime> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanosecond)
        .with_context(|| format!("invalid time {hour}:{minute}:{second}:{nanosecond}"))
}

fn wit_range<T: Normalizable + PartialOrd, W>(
    range: &Range<T>,
    convert: impl Fn(&T) -> W,
) -> WitRange<W> {
    (
        range
            .lower()
            .map(|bound| (convert(&bound.value), wit_kind(bound.type_))),
        range
            .upper()
            .map(|bound| (convert(&bound.value), wit_kind(bound.type_))),
    )
}

fn wit_kind(kind: BoundType) -> RangeBoundKind {
    match kind {
        BoundType::Inclusive => RangeBoundKind::Inclusive,
        BoundType::Exclusive => RangeBoundKind::Exclusive,
    }
}

fn sql_range<W, T: Normalizable + PartialOrd>(
    (lower, upper): WitRange<W>,
    convert: impl Fn(&W) -> Result<T>,
) -> Result<Range<T>> {
    Ok(Range::new(
        sql_bound(lower, &convert)?,
        sql_bound(upper, &convert)?,
    ))
}

fn sql_bound<W, T: Normalizable + PartialOrd, S: BoundSided>(
    bound: Option<(W, RangeBoundKind)>,
    convert: impl Fn(&W) -> Result<T>,
) -> Result<Option<RangeBound<S, T>>> {
    let Some((value, kind)) = bound else {
        return Ok(None);
    };
    let kind = match kind {
        RangeBoundKind::Inclusive => BoundType::Inclusive,
        RangeBoundKind::Exclusive => BoundType::Exclusive,
    };
    Ok(Some(RangeBound::new(convert(&value)?, kind)))
}

/// The memory that a row takes, in bytes.
pub fn size(row: &Row) -> usize {
    row.iter()
        .map(|value| size_of::<DbValue>() + heap_size(value))
        .sum()
}

fn heap_size(value: &DbValue) -> usize {
    match value {
        DbValue::Str(text) | DbValue::Uuid(text) | DbValue::Decimal(text) => text.len(),
        DbValue::Jsonb(bytes) | DbValue::Binary(bytes) | DbValue::Unsupported(bytes) => bytes.len(),
        DbValue::ArrayInt32(values) => size_of_val(values.as_slice()),
        DbValue::ArrayInt64(values) => size_of_val(values.as_slice()),
        DbValue::ArrayDecimal(texts) | DbValue::ArrayStr(texts) => {
            let heap: usize = texts.iter().flatten().map(String::len).sum();
            size_of_val(texts.as_slice()) + heap
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_survive_the_way_there_and_back() {
        let date = (2024, 2, 29);
        assert_eq!(wit_date(sql_date(date).unwrap()), date);
        let time = (23, 59, 58, 123_456_789);
        assert_eq!(wit_time(sql_time(time).unwrap()), time);
    }

    #[test]
    fn ranges_keep_their_bounds() {
        let range = (
            Some(("1.5".to_owned(), RangeBoundKind::Exclusive)),
            Some(("2.75".to_owned(), RangeBoundKind::Inclusive)),
        );
        let sql = sql_range(range.clone(), |v| decimal(v).map(RangeDecimal)).unwrap();
        let back = wit_range(&sql, |RangeDecimal(v)| v.to_string());
        assert_eq!(format!("{back:?}"), format!("{range:?}"));

        let open = sql_range((None::<(i32, _)>, None), |v| Ok(*v)).unwrap();
        assert_eq!(wit_range(&open, |v| *v), (None, None));
    }

    #[test]
    fn malformed_parameters_are_errors_that_say_why() {
        for (value, why) in [
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
            assert_eq!(error.to_string(), why);
        }
    }

    #[test]
    fn a_timestamp_is_in_seconds() {
        let parameter = format!("{:?}", to_sql(ParameterValue::Timestamp(3723)).unwrap());
        assert!(parameter.contains("1970-01-01T01:02:03Z"), "{parameter}");
    }
}
