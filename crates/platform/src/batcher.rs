//! Batching: what concurrent requests of an instance write, one writer writes together.
//!
//! While a batch is being written, items that are submitted queue up, and the next batch has all
//! of them. So the more there are, the less each costs, and one that comes alone waits for none.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::thread::LocalKey;

use crate::task;
use crate::wake::{self, Wake};

/// The writer ended before it had a result: the item may have been written or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutcomeUnknown;

/// A queue of items, and whether a writer works on it.
pub struct Batcher<T, R> {
    queue: RefCell<Vec<Pending<T, R>>>,
    has_writer: Cell<bool>,
}

struct Pending<T, R> {
    item: T,
    result: ResultSlot<R>,
    wake: Wake,
}

type ResultSlot<R> = Rc<Cell<Option<R>>>;

impl<T: 'static, R: 'static> Batcher<T, R> {
    /// An empty queue.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            queue: RefCell::new(Vec::new()),
            has_writer: Cell::new(false),
        }
    }

    /// Submits an item and waits for its result. `write` gives a result for each item, in their
    /// order; it is the same function for all items of a batcher.
    ///
    /// The writer is a task of its own: a request that is given up takes its own item out of the queue and disturbs no other.
    pub async fn submit<F>(
        batcher: &'static LocalKey<Self>,
        item: T,
        write: fn(Vec<T>) -> F,
    ) -> Result<R, OutcomeUnknown>
    where
        F: Future<Output = Vec<R>> + 'static,
    {
        let result = ResultSlot::default();
        if batcher.with(|batcher| batcher.has_writer.replace(true)) {
            let (wake, woken) = wake::any_task();
            batcher.with(|batcher| batcher.push(item, &result, wake));
            woken.await;
        } else {
            let (wake, woken) = wake::same_task();
            batcher.with(|batcher| batcher.push(item, &result, wake));
            task::spawn(write_all(Writer(batcher), write));
            woken.await;
        }
        result.take().ok_or(OutcomeUnknown)
    }

    fn push(&self, item: T, result: &ResultSlot<R>, wake: Wake) {
        self.queue.borrow_mut().push(Pending {
            item,
            result: result.clone(),
            wake,
        });
    }

    /// The items whose requests still wait.
    fn take_batch(&self) -> Vec<Pending<T, R>> {
        let mut batch = self.queue.take();
        batch.retain(|pending| Rc::strong_count(&pending.result) > 1);
        batch
    }
}

impl<T: 'static, R: 'static> Default for Batcher<T, R> {
    fn default() -> Self {
        Self::new()
    }
}

/// The one writer of a batcher. When it ends, however that comes about, the requests that still
/// wait learn that they have no result, and the next request starts another.
struct Writer<T: 'static, R: 'static>(&'static LocalKey<Batcher<T, R>>);

impl<T, R> Drop for Writer<T, R> {
    fn drop(&mut self) {
        let waiting = self.0.with(|batcher| {
            batcher.has_writer.set(false);
            batcher.queue.take()
        });
        drop(waiting);
    }
}

async fn write_all<T, R, F>(writer: Writer<T, R>, write: fn(Vec<T>) -> F)
where
    F: Future<Output = Vec<R>>,
{
    loop {
        let batch = writer.0.with(Batcher::take_batch);
        if batch.is_empty() {
            return;
        }
        let (items, waiting): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|pending| (pending.item, (pending.result, pending.wake)))
            .unzip();
        let results = write(items).await;
        for ((slot, _wake), result) in waiting.into_iter().zip(results) {
            slot.set(Some(result));
        }
    }
}

#[cfg(test)]
mod tests;
