//! Work that outlives the request that started it: the host keeps an instance for as long as
//! it has such work, on Spin and on devhost alike.

use std::future::Future;

/// Runs `work` concurrently with the present request, and on after its response.
#[cfg(target_family = "wasm")]
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    spin_sdk::wasip3::spawn(work);
}

/// Runs `work` on the executor of the test at hand.
#[cfg(not(target_family = "wasm"))]
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    native::spawn(Box::pin(work));
}

/// An executor for native tests, which have no host.
#[cfg(not(target_family = "wasm"))]
pub mod native {
    use std::cell::RefCell;

    use futures::executor::LocalPool;
    use futures::future::LocalBoxFuture;
    use futures::task::LocalSpawnExt;

    thread_local! {
        static SPAWNED: RefCell<Vec<LocalBoxFuture<'static, ()>>> = RefCell::default();
        static POOL: RefCell<LocalPool> = RefCell::new(LocalPool::new());
    }

    pub(super) fn spawn(work: LocalBoxFuture<'static, ()>) {
        SPAWNED.with_borrow_mut(|spawned| spawned.push(work));
    }

    /// Runs all spawned work of this thread until none of it can go on.
    pub fn run_until_stalled() {
        loop {
            let spawned = SPAWNED.take();
            let idle = spawned.is_empty();
            POOL.with_borrow_mut(|pool| {
                for work in spawned {
                    // The pool lives as long as the thread.
                    let _ = pool.spawner().spawn_local(work);
                }
                pool.run_until_stalled();
            });
            if idle && SPAWNED.with_borrow(Vec::is_empty) {
                return;
            }
        }
    }
}
