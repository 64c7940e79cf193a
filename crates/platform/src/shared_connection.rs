//! The connection that an instance keeps: opened when it is needed, shared by the instance's
//! concurrent requests, and forgotten when it breaks.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::thread::LocalKey;

use crate::wake::{self, Wake};

/// At most one open connection; it stays open between requests.
pub struct SharedConnection<C> {
    open: RefCell<Option<Rc<C>>>,
    is_opening: Cell<bool>,
    /// The requests that wait for the attempt under way.
    waiting: RefCell<Vec<Wake>>,
}

impl<C> SharedConnection<C> {
    /// No connection yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            open: RefCell::new(None),
            is_opening: Cell::new(false),
            waiting: RefCell::new(Vec::new()),
        }
    }

    /// The open connection, or a new one. While one is being opened, other requests wait for the
    /// outcome; if that is a failure, the next of them tries.
    pub async fn acquire<E, F>(
        shared: &'static LocalKey<Self>,
        open: impl FnOnce() -> F,
    ) -> Result<Rc<C>, E>
    where
        F: Future<Output = Result<C, E>>,
    {
        loop {
            if let Some(connection) = shared.with(|shared| shared.open.borrow().clone()) {
                return Ok(connection);
            }
            if !shared.with(|shared| shared.is_opening.replace(true)) {
                break;
            }
            let (wake, woken) = wake::any_task();
            shared.with(|shared| shared.waiting.borrow_mut().push(wake));
            woken.await;
        }
        let _attempt = Attempt(shared);
        let connection = Rc::new(open().await?);
        shared.with(|shared| shared.open.replace(Some(connection.clone())));
        Ok(connection)
    }

    /// The open connection, if there is one.
    pub fn current(&self) -> Option<Rc<C>> {
        self.open.borrow().clone()
    }

    /// Forgets the connection if it still is the one that broke; whether it was.
    pub fn forget(&self, broken: &Rc<C>) -> bool {
        let mut open = self.open.borrow_mut();
        open.take_if(|open| Rc::ptr_eq(open, broken)).is_some()
    }

    /// Forgets the connection; it stays open for the requests that are using it.
    pub fn clear(&self) {
        self.open.take();
    }
}

impl<C> Default for SharedConnection<C> {
    fn default() -> Self {
        Self::new()
    }
}

/// An attempt to open the connection. It ends with the request that makes it, and the requests
/// that wait for it look again.
struct Attempt<C: 'static>(&'static LocalKey<SharedConnection<C>>);

impl<C> Drop for Attempt<C> {
    fn drop(&mut self) {
        let waiting = self.0.with(|shared| {
            shared.is_opening.set(false);
            shared.waiting.take()
        });
        drop(waiting);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::pending;

    use super::*;

    thread_local! {
        static SHARED: SharedConnection<u32> = const { SharedConnection::new() };
    }

    fn acquire(connection: u32) -> Rc<u32> {
        let open = || async move { Ok::<_, ()>(connection) };
        let acquired = SharedConnection::acquire(&SHARED, open).now_or_never();
        acquired.unwrap().unwrap()
    }

    #[test]
    fn a_connection_is_opened_once() {
        assert_eq!((*acquire(1), *acquire(2)), (1, 1));
    }

    #[test]
    fn a_broken_connection_is_not_given_out_again() {
        let broken = acquire(1);
        assert!(SHARED.with(|shared| shared.forget(&broken)));
        let next = acquire(2);
        assert_eq!(*next, 2);
        assert!(!SHARED.with(|shared| shared.forget(&broken)));
    }

    #[test]
    fn a_failure_lets_the_next_request_try() {
        let failed = SharedConnection::acquire(&SHARED, || async { Err::<u32, _>("down") });
        assert_eq!(failed.now_or_never().unwrap(), Err("down"));
        assert_eq!(*acquire(3), 3);
    }

    #[test]
    fn a_request_that_waits_goes_on_when_the_attempt_under_way_is_given_up() {
        let hangs = SharedConnection::acquire(&SHARED, pending::<Result<u32, ()>>);
        let mut hangs = Box::pin(hangs);
        assert!(hangs.as_mut().now_or_never().is_none());
        let open = || async { Ok::<_, ()>(4) };
        let mut waits = Box::pin(SharedConnection::acquire(&SHARED, open));
        assert!(waits.as_mut().now_or_never().is_none());
        drop(hangs);
        assert_eq!(*waits.now_or_never().unwrap().unwrap(), 4);
    }
}
