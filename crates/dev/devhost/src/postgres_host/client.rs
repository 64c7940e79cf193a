//! Statements on one pooled connection.
//!
//! Spin prepares every statement anew. Here a connection keeps what it has
//! prepared, which saves a round trip and which guests cannot tell: where a
//! migration has made a kept statement useless, it is prepared once more.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use deadpool_postgres::Object;
use tokio_postgres::{
    RowStream, Statement,
    error::{DbError, SqlState},
    types::ToSql,
};

use super::types::{Parameter, to_sql};
use crate::bindings::spin::postgres::postgres::{self as wit, Error, ParameterValue, QueryError};

/// Statements that a connection keeps. Guests that build their SQL anew for
/// every request must not fill the server's memory.
const MAX_STATEMENTS: usize = 256;

/// A client that goes back to its pool when it is dropped.
pub struct Client {
    /// Is `None` only while dropping.
    object: Option<Object>,
    /// A call was dropped before its answer, and the connection may be busy
    /// with it for as long as that takes.
    abandoned: AtomicBool,
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.abandoned.load(Relaxed)
            && let Some(object) = self.object.take()
        {
            drop(Object::take(object));
        }
    }
}

/// Notes in [`Client::abandoned`] when a call does not come to its end.
struct Call<'c> {
    client: &'c Client,
    ended: bool,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.client.abandoned.store(true, Relaxed);
        }
    }
}

type DriverResult<T> = Result<T, tokio_postgres::Error>;

impl Client {
    /// Wraps a client of a pool.
    pub fn new(object: Object) -> Self {
        Self {
            object: Some(object),
            abandoned: AtomicBool::new(false),
        }
    }

    /// Runs a statement for the number of rows that it changed.
    pub async fn execute(&self, sql: &str, params: Vec<ParameterValue>) -> Result<u64, Error> {
        let params = &parameters(params).map_err(Error::ValueConversionFailed)?;
        let object = self.object()?;
        let run =
            |statement| async move { object.execute_raw(&statement, references(params)).await };
        self.call(sql, run).await
    }

    /// Runs a statement for its rows.
    pub async fn query(&self, sql: &str, params: Vec<ParameterValue>) -> Result<RowStream, Error> {
        let params = &parameters(params).map_err(Error::BadParameter)?;
        let object = self.object()?;
        let run = |statement| async move { object.query_raw(&statement, references(params)).await };
        self.call(sql, run).await
    }

    fn object(&self) -> Result<&Object, Error> {
        let closed = || Error::ConnectionFailed("the connection is closed".to_owned());
        self.object.as_ref().ok_or_else(closed)
    }

    async fn call<T, F>(&self, sql: &str, run: impl Fn(Statement) -> F) -> Result<T, Error>
    where
        F: Future<Output = DriverResult<T>>,
    {
        let object = self.object()?;
        let mut call = Call {
            client: self,
            ended: false,
        };
        let mut result = prepare_and_run(object, sql, &run).await;
        if result.as_ref().is_err_and(is_stale) {
            object.statement_cache.remove(sql, &[]);
            result = prepare_and_run(object, sql, &run).await;
        }
        call.ended = true;
        result.map_err(|error| query_failed(&error))
    }
}

async fn prepare_and_run<T, F>(
    object: &Object,
    sql: &str,
    run: impl Fn(Statement) -> F,
) -> DriverResult<T>
where
    F: Future<Output = DriverResult<T>>,
{
    if object.statement_cache.size() >= MAX_STATEMENTS {
        object.statement_cache.clear();
    }
    run(object.prepare_cached(sql).await?).await
}

/// Whether a prepared statement no longer fits the tables, or is gone.
fn is_stale(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| {
        *error.code() == SqlState::INVALID_SQL_STATEMENT_NAME
            || (*error.code() == SqlState::FEATURE_NOT_SUPPORTED
                && error.message().starts_with("cached plan must not change"))
    })
}

fn parameters(params: Vec<ParameterValue>) -> Result<Vec<Parameter>, String> {
    params
        .into_iter()
        .map(to_sql)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{error:#}"))
}

fn references(params: &[Parameter]) -> impl ExactSizeIterator<Item = &(dyn ToSql + Sync)> {
    params.iter().map(|param| &**param as &(dyn ToSql + Sync))
}

/// The error as Spin shows it to guests.
pub fn query_failed(error: &tokio_postgres::Error) -> Error {
    let as_text = format!("{error:?}");
    Error::QueryFailed(match error.as_db_error() {
        None => QueryError::Text(as_text),
        Some(error) => QueryError::DbError(wit::DbError {
            as_text,
            severity: error.severity().to_owned(),
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            extras: extras(error),
        }),
    })
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
