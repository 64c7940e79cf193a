//! How one request of an instance wakes another.
//!
//! Requests are separate tasks of the component model, and the waker of one does not reach
//! another. So a request that waits for another reads from a stream of its own, which the host
//! ends when the other side is dropped. Futures of the same task need no such thing.

use std::future::Future;

use futures::channel::oneshot;
use futures::future::FutureExt;

/// Wakes the request that waits, by being dropped.
pub enum Wake {
    /// It waits in the task that drops this.
    SameTask { _sender: oneshot::Sender<()> },
    /// It may wait in any task of the instance.
    AnyTask { _writer: other_task::Wake },
}

/// A wake for a future of the same task, and what waits for it: costs no call to the host.
pub fn same_task() -> (Wake, impl Future<Output = ()>) {
    let (sender, woken) = oneshot::channel();
    (Wake::SameTask { _sender: sender }, woken.map(|_| ()))
}

/// A wake for a request of the same instance, and what waits for it.
pub fn any_task() -> (Wake, impl Future<Output = ()>) {
    let (writer, woken) = other_task::pair();
    (Wake::AnyTask { _writer: writer }, woken)
}

#[cfg(target_family = "wasm")]
mod other_task {
    use spin_sdk::wasip3::{wit_bindgen::StreamWriter, wit_stream};

    pub type Wake = StreamWriter<u8>;

    pub fn pair() -> (Wake, impl Future<Output = ()>) {
        let (wake, mut end) = wit_stream::new::<u8>();
        (wake, async move {
            end.next().await;
        })
    }
}

/// Native tests have wakers that reach every future.
#[cfg(not(target_family = "wasm"))]
mod other_task {
    use std::future::Future;

    use futures::channel::oneshot;

    pub type Wake = oneshot::Sender<()>;

    pub fn pair() -> (Wake, impl Future<Output = ()>) {
        let (wake, end) = oneshot::channel();
        (wake, async move {
            let _ = end.await;
        })
    }
}
