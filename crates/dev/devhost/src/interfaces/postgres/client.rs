//! Statements on one pooled connection.
//!
//! Spin prepares every statement anew. Here a connection caches the statements
//! that it has prepared, which saves a round trip. Guests see no difference: a
//! statement that a migration has invalidated is prepared again. With
//! `--strict`, connections behave as in Spin.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use deadpool_postgres::Object;
use tokio_postgres::{RowStream, Statement, error::SqlState, types::ToSql};

use super::{
    error::query_failed,
    types::{Parameter, to_sql},
};
use crate::bindings::spin::postgres::postgres::{Error, ParameterValue};

/// The most statements that a connection caches. Guests that generate new SQL
/// for every request must not exhaust the server's memory.
const MAX_STATEMENTS: usize = 256;

/// A client that returns to its pool when it is dropped.
pub struct Client {
    /// `None` only during the drop.
    object: Option<Object>,
    /// Whether a call was dropped before its response. The connection may still
    /// be busy with it, so it is closed, and does not return to the pool.
    abandoned: AtomicBool,
    /// Whether statements are cached and an abandoned connection is closed.
    managed: bool,
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

/// Sets [`Client::abandoned`] if a call is dropped before its end.
struct Call<'c> {
    client: &'c Client,
    ended: bool,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.ended && self.client.managed {
            self.client.abandoned.store(true, Relaxed);
        }
    }
}

type DriverResult<T> = Result<T, tokio_postgres::Error>;

impl Client {
    /// Wraps a client of a pool.
    pub fn new(object: Object, managed: bool) -> Self {
        Self {
            object: Some(object),
            abandoned: AtomicBool::new(false),
            managed,
        }
    }

    /// Runs a statement; returns the number of rows that it changed.
    pub async fn execute(&self, sql: &str, params: Vec<ParameterValue>) -> Result<u64, Error> {
        let params = &parameters(params).map_err(Error::ValueConversionFailed)?;
        let object = self.object()?;
        let run =
            |statement| async move { object.execute_raw(&statement, references(params)).await };
        self.call(sql, run).await
    }

    /// Runs a statement; returns its rows.
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
        let result = if self.managed {
            run_cached(object, sql, &run).await
        } else {
            run_uncached(object, sql, &run).await
        };
        call.ended = true;
        result.map_err(|error| query_failed(&error))
    }
}

async fn run_uncached<T, F>(
    object: &Object,
    sql: &str,
    run: impl Fn(Statement) -> F,
) -> DriverResult<T>
where
    F: Future<Output = DriverResult<T>>,
{
    run(object.prepare(sql).await?).await
}

/// Prepares the statement again if its cached form is stale.
async fn run_cached<T, F>(
    object: &Object,
    sql: &str,
    run: impl Fn(Statement) -> F,
) -> DriverResult<T>
where
    F: Future<Output = DriverResult<T>>,
{
    let result = prepare_cached_and_run(object, sql, &run).await;
    if result.as_ref().is_err_and(is_stale) {
        object.statement_cache.remove(sql, &[]);
        return prepare_cached_and_run(object, sql, &run).await;
    }
    result
}

async fn prepare_cached_and_run<T, F>(
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

/// Whether a prepared statement no longer fits the tables, or does not exist.
fn is_stale(error: &tokio_postgres::Error) -> bool {
    let Some(error) = error.as_db_error() else {
        return false;
    };
    let plan_changed = || error.message().starts_with("cached plan must not change");
    match error.code() {
        code if *code == SqlState::INVALID_SQL_STATEMENT_NAME => true,
        code if *code == SqlState::FEATURE_NOT_SUPPORTED => plan_changed(),
        _ => false,
    }
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
