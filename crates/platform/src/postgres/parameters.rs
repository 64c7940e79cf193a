//! Values as a statement's parameters.

use spin_sdk::pg::ParameterValue;

/// `bigint`
#[must_use]
pub fn number(value: i64) -> ParameterValue {
    ParameterValue::Int64(value)
}

/// `bigint` or null
#[must_use]
pub fn optional_number(value: Option<i64>) -> ParameterValue {
    value.map_or(ParameterValue::DbNull, number)
}

/// `boolean`
#[must_use]
pub const fn boolean(value: bool) -> ParameterValue {
    ParameterValue::Boolean(value)
}

/// `boolean` or null
#[must_use]
pub fn optional_boolean(value: Option<bool>) -> ParameterValue {
    value.map_or(ParameterValue::DbNull, boolean)
}

/// `bigint[]`
#[must_use]
pub fn numbers(values: impl IntoIterator<Item = i64>) -> ParameterValue {
    optional_numbers(values.into_iter().map(Some))
}

/// `bigint[]` with nulls in it
#[must_use]
pub fn optional_numbers(values: impl IntoIterator<Item = Option<i64>>) -> ParameterValue {
    ParameterValue::ArrayInt64(values.into_iter().collect())
}

/// `text`
#[must_use]
pub fn text(value: String) -> ParameterValue {
    ParameterValue::Str(value)
}

/// `text` or null
#[must_use]
pub fn optional_text(value: Option<String>) -> ParameterValue {
    value.map_or(ParameterValue::DbNull, text)
}

/// `text[]`
#[must_use]
pub fn texts(values: impl IntoIterator<Item = String>) -> ParameterValue {
    optional_texts(values.into_iter().map(Some))
}

/// `text[]` with nulls in it
#[must_use]
pub fn optional_texts(values: impl IntoIterator<Item = Option<String>>) -> ParameterValue {
    ParameterValue::ArrayStr(values.into_iter().collect())
}

/// `boolean`
#[must_use]
pub const fn flag(value: bool) -> ParameterValue {
    ParameterValue::Boolean(value)
}

/// `bytea`
#[must_use]
pub const fn bytes(value: Vec<u8>) -> ParameterValue {
    ParameterValue::Binary(value)
}
