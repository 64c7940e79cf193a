//! Reading a row's columns in the order of its statement.

use spin_sdk::pg::{DbValue, Decode};

use super::PgFailure;
use crate::Error;

/// A row whose columns are taken from left to right.
#[derive(Debug)]
pub struct Row {
    values: std::vec::IntoIter<DbValue>,
    is_repetition: bool,
}

impl Row {
    pub(super) fn new(values: Vec<DbValue>) -> Self {
        Self {
            values: values.into_iter(),
            is_repetition: false,
        }
    }

    /// The same row, of a statement that ran once more because its first result was lost.
    #[must_use]
    pub fn of_repetition(self) -> Self {
        Self {
            is_repetition: true,
            ..self
        }
    }

    /// The error where the row is a refusal. That of a repetition is none: the first run may have taken
    /// effect, and another change have come since.
    #[must_use]
    pub fn refusal(&self, error: Error) -> Error {
        if self.is_repetition {
            PgFailure::Unavailable("the first result was lost".into()).into()
        } else {
            error
        }
    }

    /// Whether the next column is this text. It stays the next one.
    #[must_use]
    pub fn is_text(&self, text: &str) -> bool {
        matches!(self.values.as_slice().first(), Some(DbValue::Str(found)) if found == text)
    }

    /// The next column.
    #[allow(
        clippy::should_implement_trait,
        reason = "each column has a type of its own"
    )]
    pub fn take<T: Column>(&mut self) -> Result<T, PgFailure> {
        let value = self
            .values
            .next()
            .ok_or_else(|| PgFailure::Failed("a column is missing".into()))?;
        T::column(value)
    }
}

/// A type that a column can be read as, without a copy.
pub trait Column: Sized {
    /// Reads a column.
    fn column(value: DbValue) -> Result<Self, PgFailure>;
}

/// Reads a value by the SDK's rules.
pub fn decode<T: Decode>(value: &DbValue) -> Result<T, PgFailure> {
    T::decode(value).map_err(|error| PgFailure::Failed(error.to_string()))
}

impl Column for i64 {
    fn column(value: DbValue) -> Result<Self, PgFailure> {
        decode(&value)
    }
}

impl Column for f64 {
    fn column(value: DbValue) -> Result<Self, PgFailure> {
        decode(&value)
    }
}

impl Column for bool {
    fn column(value: DbValue) -> Result<Self, PgFailure> {
        decode(&value)
    }
}

impl Column for String {
    fn column(value: DbValue) -> Result<Self, PgFailure> {
        match value {
            DbValue::Str(text) => Ok(text),
            other => decode(&other),
        }
    }
}

impl Column for Vec<Option<String>> {
    fn column(value: DbValue) -> Result<Self, PgFailure> {
        match value {
            DbValue::ArrayStr(texts) => Ok(texts),
            _ => Err(PgFailure::Failed("a column is not text[]".into())),
        }
    }
}

impl Column for Vec<Option<i64>> {
    fn column(value: DbValue) -> Result<Self, PgFailure> {
        match value {
            DbValue::ArrayInt64(numbers) => Ok(numbers),
            _ => Err(PgFailure::Failed("a column is not bigint[]".into())),
        }
    }
}

impl Column for Vec<String> {
    fn column(value: DbValue) -> Result<Self, PgFailure> {
        Vec::<Option<String>>::column(value).map(|texts| texts.into_iter().flatten().collect())
    }
}

impl Column for Vec<i64> {
    fn column(value: DbValue) -> Result<Self, PgFailure> {
        Vec::<Option<i64>>::column(value).map(|numbers| numbers.into_iter().flatten().collect())
    }
}

impl<T: Column> Column for Option<T> {
    fn column(value: DbValue) -> Result<Self, PgFailure> {
        match value {
            DbValue::DbNull => Ok(None),
            value => T::column(value).map(Some),
        }
    }
}
