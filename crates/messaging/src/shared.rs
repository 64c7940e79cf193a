//! The connection that an instance keeps, shared by its concurrent requests and
//! opened when it is needed.
//!
//! Requests of one instance are separate tasks of the component model, and one
//! cannot wake another. So nobody waits for somebody else's attempt to open the
//! connection: whoever finds one under way looks again a moment later.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::thread::LocalKey;
use std::time::Duration;

use crate::clock;

/// How soon to look again for a connection that is being opened.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// At most one open connection; it stays open when nobody uses it.
pub struct Shared<C> {
    open: RefCell<Option<Rc<C>>>,
    opening: Cell<bool>,
}

impl<C> Shared<C> {
    /// No connection yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            open: RefCell::new(None),
            opening: Cell::new(false),
        }
    }

    /// The connection, or a new one.
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
            if !shared.with(|shared| shared.opening.replace(true)) {
                break;
            }
            clock::sleep(LOOK_AGAIN).await;
        }
        let _opening = Opening(shared);
        let connection = Rc::new(open().await?);
        shared.with(|shared| shared.open.replace(Some(connection.clone())));
        Ok(connection)
    }

    /// Forgets the connection, if it still is the one that broke; whether it was.
    pub fn forget(&self, broken: &Rc<C>) -> bool {
        let mut open = self.open.borrow_mut();
        open.take_if(|open| Rc::ptr_eq(open, broken)).is_some()
    }

    /// Forgets the connection; it stays open for those that use it.
    pub fn clear(&self) {
        self.open.take();
    }
}

/// An attempt under way; a request that is given up gives it up too.
struct Opening<C: 'static>(&'static LocalKey<Shared<C>>);

impl<C> Drop for Opening<C> {
    fn drop(&mut self) {
        self.0.with(|shared| shared.opening.set(false));
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    thread_local! {
        static SHARED: Shared<u32> = const { Shared::new() };
    }

    fn acquire(connection: u32) -> Rc<u32> {
        let open = || async move { Ok::<_, ()>(connection) };
        Shared::acquire(&SHARED, open)
            .now_or_never()
            .unwrap()
            .unwrap()
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
    fn a_failure_lets_the_next_one_try() {
        let failed = Shared::acquire(&SHARED, || async { Err::<u32, _>("down") });
        assert_eq!(failed.now_or_never().unwrap(), Err("down"));
        assert_eq!(*acquire(3), 3);
    }
}
