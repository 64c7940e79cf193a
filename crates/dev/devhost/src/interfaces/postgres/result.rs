//! The result of a statement, for the guest.

use std::future;

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use tokio::sync::oneshot;
use tokio_postgres::RowStream;
use wasmtime::{
    AsContextMut,
    component::{FutureReader, StreamReader},
};

use super::{
    error::query_failed,
    row_stream::{BATCH, RowProducer, Rows},
    types,
};
use crate::bindings::spin::postgres::postgres::{Column, Error, QueryError, Row, RowSet};

/// Spin's limit for a row set, and for one row of a stream.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// The guest's ends: columns, a stream of rows, and the final outcome.
pub type GuestResult = (
    Vec<Column>,
    StreamReader<Row>,
    FutureReader<Result<(), Error>>,
);

/// Waits for all rows. Columns come with the first row, as in Spin: no rows,
/// no columns.
pub async fn collect(rows: RowStream) -> Result<RowSet, Error> {
    let mut rows = Box::pin(rows);
    let mut set = RowSet {
        columns: Vec::new(),
        rows: Vec::new(),
    };
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await.map_err(|e| query_failed(&e))? {
        if set.rows.is_empty() {
            set.columns = types::columns(&row);
        }
        let row = types::row(&row).map_err(text)?;
        bytes += types::size(&row);
        check_size(bytes)?;
        set.rows.push(row);
    }
    Ok(set)
}

/// The start of a result.
///
/// The server sends a short result in one piece. That is complete here, and
/// costs the guest no further wait.
#[derive(Default)]
pub struct PartialResult {
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// The unread rows, or the outcome if there are none.
    rest: Rest,
}

enum Rest {
    Ended(Result<(), Error>),
    Unread(Rows),
}

impl Default for Rest {
    fn default() -> Self {
        Self::Ended(Ok(()))
    }
}

impl PartialResult {
    /// Waits for the first row, and takes those that arrived with it.
    pub async fn start(rows: RowStream) -> Self {
        let mut unread = Box::pin(rows);
        let mut result = Self::default();
        let mut next = unread.next().await;
        while let Some(row) = next {
            if let Err(error) = result.push(row) {
                return result.with_rest(Rest::Ended(Err(error)));
            }
            if result.rows.len() >= BATCH {
                return result.with_rest(Rest::Unread(unread));
            }
            match unread.next().now_or_never() {
                Some(arrived) => next = arrived,
                None => return result.with_rest(Rest::Unread(unread)),
            }
        }
        result
    }

    fn with_rest(self, rest: Rest) -> Self {
        Self { rest, ..self }
    }

    fn push(
        &mut self,
        row: Result<tokio_postgres::Row, tokio_postgres::Error>,
    ) -> Result<(), Error> {
        let row = row.map_err(|error| query_failed(&error))?;
        if self.rows.is_empty() {
            self.columns = types::columns(&row);
        }
        self.rows.push(convert(&row)?);
        Ok(())
    }

    /// Creates the guest's ends.
    pub fn into_guest(self, mut store: impl AsContextMut) -> wasmtime::Result<GuestResult> {
        let (rows, outcome) = match self.rest {
            Rest::Ended(outcome) => (
                StreamReader::new(&mut store, self.rows)?,
                FutureReader::new(&mut store, future::ready(infallible(outcome)))?,
            ),
            Rest::Unread(unread) => {
                let (sender, end) = oneshot::channel();
                let producer = RowProducer::new(self.rows, unread, sender);
                // A stream that the guest drops early has no outcome.
                let end = end.map(|outcome| infallible(outcome.unwrap_or(Ok(()))));
                (
                    StreamReader::new(&mut store, producer)?,
                    FutureReader::new(&mut store, end)?,
                )
            }
        };
        Ok((self.columns, rows, outcome))
    }
}

/// Converts a row, if it is not too large.
pub fn convert(row: &tokio_postgres::Row) -> Result<Row, Error> {
    let row = types::row(row).map_err(text)?;
    check_size(types::size(&row))?;
    Ok(row)
}

/// What a `FutureReader` takes, from a future that never fails.
fn infallible<T>(value: T) -> wasmtime::Result<T> {
    Ok(value)
}

fn text(error: anyhow::Error) -> Error {
    Error::QueryFailed(QueryError::Text(format!("{error:#}")))
}

fn check_size(bytes: usize) -> Result<(), Error> {
    if bytes > MAX_RESULT_BYTES {
        let message = format!("query result exceeds limit of {MAX_RESULT_BYTES} bytes");
        return Err(Error::QueryFailed(QueryError::Text(message)));
    }
    Ok(())
}
