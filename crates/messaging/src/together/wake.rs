//! How one request wakes another.
//!
//! Requests are separate tasks of the component model, and the waker of one does
//! not reach another. So who waits reads from a stream of their own, which the
//! host ends when the other side is dropped.

#[cfg(target_family = "wasm")]
mod platform {
    use spin_sdk::wasip3::{wit_bindgen::StreamWriter, wit_stream};

    pub type Wake = StreamWriter<u8>;

    pub fn pair() -> (Wake, impl Future<Output = ()>) {
        let (wake, mut end) = wit_stream::new::<u8>();
        (wake, async move {
            end.next().await;
        })
    }
}

/// Native tests have wakers that reach everybody.
#[cfg(not(target_family = "wasm"))]
mod platform {
    use futures::channel::oneshot;

    pub type Wake = oneshot::Sender<()>;

    pub fn pair() -> (Wake, impl Future<Output = ()>) {
        let (wake, end) = oneshot::channel();
        (wake, async move {
            let _ = end.await;
        })
    }
}

/// Wakes who waits, by being dropped.
pub use platform::Wake;

/// A wake, and what waits for it.
pub use platform::pair;
