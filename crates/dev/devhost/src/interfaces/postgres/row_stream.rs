//! Rows that the guest reads at its own pace.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::Stream as _;
use tokio::sync::oneshot;
use tokio_postgres::RowStream;
use wasmtime::{
    StoreContextMut,
    component::{Destination, StreamProducer, StreamResult, VecBuffer},
};

use super::{error::query_failed, result::convert};
use crate::bindings::spin::postgres::postgres::{Error, Row};

/// Rows that are passed on together if the server has sent them.
pub const BATCH: usize = 256;

/// The rows that the driver receives.
pub type Rows = Pin<Box<RowStream>>;

/// Produces the rows of a result, in batches.
pub struct RowProducer {
    batch: Vec<Row>,
    unread: Rows,
    end: Option<oneshot::Sender<Result<(), Error>>>,
}

impl RowProducer {
    /// Produces `batch`, then the `unread` rows; `end` receives the outcome.
    pub fn new(batch: Vec<Row>, unread: Rows, end: oneshot::Sender<Result<(), Error>>) -> Self {
        Self {
            batch,
            unread,
            end: Some(end),
        }
    }

    fn poll_row(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Row, Error>>> {
        let next = ready!(self.unread.as_mut().poll_next(cx));
        Poll::Ready(next.map(|row| match row {
            Ok(row) => convert(&row),
            Err(error) => Err(query_failed(&error)),
        }))
    }

    /// Fills the batch; whether there are more rows.
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        while self.batch.len() < BATCH {
            let outcome = match self.poll_row(cx) {
                Poll::Ready(Some(Ok(row))) => {
                    self.batch.push(row);
                    continue;
                }
                Poll::Pending if self.batch.is_empty() => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(None) => Ok(()),
                Poll::Ready(Some(Err(error))) => Err(error),
            };
            self.send_end(outcome);
            return Poll::Ready(false);
        }
        Poll::Ready(true)
    }

    fn send_end(&mut self, outcome: Result<(), Error>) {
        if let Some(end) = self.end.take() {
            // Fails if the guest has dropped its future.
            let _ = end.send(outcome);
        }
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
        destination.set_buffer(mem::take(&mut this.batch).into());
        Poll::Ready(Ok(if more {
            StreamResult::Completed
        } else {
            StreamResult::Dropped
        }))
    }
}
