//! The memory that a row takes.

use crate::bindings::spin::postgres::postgres::{DbValue, Row};

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
