//! The errors of statements, in the form that Spin returns to guests.

use tokio_postgres::error::DbError;

use crate::bindings::spin::postgres::postgres::{self as wit, Error, QueryError};

/// The error of a statement that failed.
pub fn query_failed(error: &tokio_postgres::Error) -> Error {
    let as_text = format!("{error:?}");
    Error::QueryFailed(match error.as_db_error() {
        None => QueryError::Text(as_text),
        Some(error) => QueryError::DbError(db_error(as_text, error)),
    })
}

fn db_error(as_text: String, error: &DbError) -> wit::DbError {
    wit::DbError {
        as_text,
        severity: error.severity().to_owned(),
        code: error.code().code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        extras: extras(error),
    }
}

fn extras(error: &DbError) -> Vec<(String, String)> {
    let line = error.line().map(|line| line.to_string());
    [
        ("column", error.column()),
        ("constraint", error.constraint()),
        ("routine", error.routine()),
        ("hint", error.hint()),
        ("table", error.table()),
        ("datatype", error.datatype()),
        ("schema", error.schema()),
        ("file", error.file()),
        ("line", line.as_deref()),
        ("where_", error.where_()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
    .collect()
}
