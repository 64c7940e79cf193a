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

/// `bigint[]`
#[must_use]
pub fn numbers(values: impl IntoIterator<Item = i64>) -> ParameterValue {
    ParameterValue::ArrayInt64(values.into_iter().map(Some).collect())
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
