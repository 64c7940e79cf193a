//! A statement's rows on their way to the guest.

use std::{
    future, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{FutureExt as _, Stream as _, StreamExt as _, TryStreamExt as _};
use tokio::sync::oneshot;
use tokio_postgres::RowStream;
use wasmtime::{
    AsContextMut, StoreContextMut,
    component::{Destination, FutureReader, StreamProducer, StreamReader, StreamResult, VecBuffer},
};

use super::{client::query_failed, types};
use crate::bindings::spin::postgres::postgres::{Column, Error, QueryError, Row, RowSet};

/// Spin's limit for a row set, and for one row of a stream.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// Rows that are handed over together when they are there already.
const BATCH: usize = 256;

type Rows = Pin<Box<RowStream>>;

/// Waits for all rows. Columns come with the first row, as in Spin: no rows,
/// no columns.
pub async fn collect(rows: RowStream) -> Result<RowSet, Error> {
    let mut rows = Box::pin(rows);
    let mut set = RowSet {
        columns: Vec::new(),
        rows: Vec::new(),
    };
    let mut bytes = 0;
    while let Some(row) = rows
        .try_next()
        .await
        .map_err(|error| query_failed(&error))?
    {
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

/// The beginning of a statement's answer.
///
/// Short answers come from the server in one piece. They are complete here,
/// and cost the guest no further wait.
pub struct Answer {
    columns: Vec<Column>,
    rows: Vec<Row>,
    rest: Rest,
}

enum Rest {
    Ended(Result<(), Error>),
    Unread(Rows),
}

impl Answer {
    /// Waits for the first row, and takes those that came with it.
    pub async fn start(rows: RowStream) -> Self {
        let mut rest = Box::pin(rows);
        let mut answer = Self {
            columns: Vec::new(),
            rows: Vec::new(),
            rest: Rest::Ended(Ok(())),
        };
        let mut next = rest.next().await;
        loop {
            let row = match next {
                None => return answer,
                Some(Err(error)) => return answer.ended(query_failed(&error)),
                Some(Ok(row)) => row,
            };
            if answer.rows.is_empty() {
                answer.columns = types::columns(&row);
            }
            match convert(&row) {
                Ok(row) => answer.rows.push(row),
                Err(error) => return answer.ended(error),
            }
            if answer.rows.len() >= BATCH {
                break;
            }
            match rest.next().now_or_never() {
                Some(there) => next = there,
                None => break,
            }
        }
        Self {
            rest: Rest::Unread(rest),
            ..answer
        }
    }

    fn ended(self, error: Error) -> Self {
        Self {
            rest: Rest::Ended(Err(error)),
            ..self
        }
    }

    /// Makes the guest's ends of the stream of rows and of the final result.
    #[allow(clippy::type_complexity)]
    pub fn into_guest(
        self,
        mut store: impl AsContextMut,
    ) -> wasmtime::Result<(
        Vec<Column>,
        StreamReader<Row>,
        FutureReader<Result<(), Error>>,
    )> {
        let (rows, result) = match self.rest {
            Rest::Ended(result) => (
                StreamReader::new(&mut store, self.rows)?,
                FutureReader::new(&mut store, future::ready(Ok::<_, wasmtime::Error>(result)))?,
            ),
            Rest::Unread(rest) => {
                let (ended, end) = oneshot::channel();
                let producer = RowProducer {
                    ready: self.rows,
                    rest,
                    ended: Some(ended),
                };
                // A stream that the guest drops early has no error to tell.
                let end = end.map(|result| Ok::<_, wasmtime::Error>(result.unwrap_or(Ok(()))));
                (
                    StreamReader::new(&mut store, producer)?,
                    FutureReader::new(&mut store, end)?,
                )
            }
        };
        Ok((self.columns, rows, result))
    }
}

/// Rows that the guest takes at its own pace.
struct RowProducer {
    ready: Vec<Row>,
    rest: Rows,
    ended: Option<oneshot::Sender<Result<(), Error>>>,
}

impl RowProducer {
    fn poll_row(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Row, Error>>> {
        let next = ready!(self.rest.as_mut().poll_next(cx));
        Poll::Ready(next.map(|row| match row {
            Ok(row) => convert(&row),
            Err(error) => Err(query_failed(&error)),
        }))
    }

    /// Fills [`Self::ready`]; whether there is more to come.
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        while self.ready.len() < BATCH {
            let result = match self.poll_row(cx) {
                Poll::Ready(Some(Ok(row))) => {
                    self.ready.push(row);
                    continue;
                }
                Poll::Pending if self.ready.is_empty() => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(None) => Ok(()),
                Poll::Ready(Some(Err(error))) => Err(error),
            };
            if let Some(ended) = self.ended.take() {
                // The guest may have dropped its end of the result.
                let _ = ended.send(result);
            }
            return Poll::Ready(false);
        }
        Poll::Ready(true)
    }
}

impl<D> StreamProducer<D> for RowProducer {
    type Item = Row;
    type Buffer = VecBuffer<Row>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Row, VecBuffer<Row>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if destination.remaining(store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let this = self.get_mut();
        let more = match this.poll_batch(cx) {
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => return Poll::Pending,
            Poll::Ready(more) => more,
        };
        destination.set_buffer(mem::take(&mut this.ready).into());
        Poll::Ready(Ok(if more {
            StreamResult::Completed
        } else {
            StreamResult::Dropped
        }))
    }
}

fn convert(row: &tokio_postgres::Row) -> Result<Row, Error> {
    let row = types::row(row).map_err(text)?;
    check_size(types::size(&row))?;
    Ok(row)
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
