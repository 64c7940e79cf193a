//! Conversions between values of Postgres and of the WIT, as in Spin.
//!
//! # Layout
//!
//! * this file: rows that Postgres returns
//! * [`parameter`]: parameters that a guest passes
//! * [`datetime`] and [`range`]: types with parts
//! * [`driver`]: types that the driver lacks
//! * [`mod@size`]: the memory that a row takes

mod datetime;
mod driver;
mod parameter;
mod range;
mod size;

use anyhow::Result;
use rust_decimal::Decimal;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use self::{
    datetime::{wit_date, wit_datetime, wit_time},
    driver::{Interval, RangeDecimal, Raw},
    range::wit_range,
};
pub use self::{
    parameter::{Parameter, to_sql},
    size::size,
};
use crate::bindings::spin::postgres::postgres::{Column, DbDataType, DbValue, Row};

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
