//! The connections that an instance keeps: a few, shared by its concurrent
//! requests, opened when they are needed.
//!
//! Requests of one instance are separate tasks of the component model, and one
//! cannot wake another. So nobody waits for somebody else's attempt to open a
//! connection: whoever finds one under way looks again a moment later.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::ops::Deref;
use std::rc::Rc;
use std::thread::LocalKey;
use std::time::Duration;

use crate::clock;

/// How soon to look again for a connection that is being opened.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Up to a fixed number of open connections.
pub struct Slots<C> {
    most: usize,
    ready: RefCell<Vec<Rc<Slot<C>>>>,
    opening: Cell<usize>,
}

struct Slot<C> {
    connection: C,
    users: Cell<usize>,
}

/// The use of a connection; it stays open when this is dropped.
pub struct Lease<C>(Rc<Slot<C>>);

enum Pick<C> {
    Use(Lease<C>),
    Open,
    Wait,
}

impl<C> Slots<C> {
    /// No connections yet, and `most` at the most.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            ready: RefCell::new(Vec::new()),
            opening: Cell::new(0),
        }
    }

    /// The connection with the fewest users, or a new one while there may be more.
    pub async fn acquire<E, F>(
        slots: &'static LocalKey<Self>,
        open: impl Fn() -> F,
    ) -> Result<Lease<C>, E>
    where
        F: Future<Output = Result<C, E>>,
    {
        loop {
            match slots.with(Self::pick) {
                Pick::Use(lease) => return Ok(lease),
                Pick::Wait => clock::sleep(LOOK_AGAIN).await,
                Pick::Open => {
                    let _opening = Opening(slots);
                    let connection = open().await?;
                    return Ok(slots.with(|slots| slots.add(connection)));
                }
            }
        }
    }

    /// Forgets a connection that broke; whether it was still among these.
    pub fn forget(&self, broken: &Lease<C>) -> bool {
        let mut ready = self.ready.borrow_mut();
        let before = ready.len();
        ready.retain(|slot| !Rc::ptr_eq(slot, &broken.0));
        ready.len() < before
    }

    /// Forgets all connections; those in use stay open until they are let go.
    pub fn clear(&self) {
        self.ready.borrow_mut().clear();
    }

    fn pick(&self) -> Pick<C> {
        let ready = self.ready.borrow();
        let full = ready.len() + self.opening.get() >= self.most;
        match ready.iter().min_by_key(|slot| slot.users.get()) {
            Some(slot) if full || slot.users.get() == 0 => Pick::Use(Lease::new(slot)),
            None if full => Pick::Wait,
            _ => {
                self.opening.set(self.opening.get() + 1);
                Pick::Open
            }
        }
    }

    fn add(&self, connection: C) -> Lease<C> {
        let slot = Rc::new(Slot {
            connection,
            users: Cell::new(0),
        });
        self.ready.borrow_mut().push(slot.clone());
        Lease::new(&slot)
    }
}

/// An attempt under way; a request that is given up gives it up too.
struct Opening<C: 'static>(&'static LocalKey<Slots<C>>);

impl<C> Drop for Opening<C> {
    fn drop(&mut self) {
        self.0
            .with(|slots| slots.opening.set(slots.opening.get() - 1));
    }
}

impl<C> Lease<C> {
    fn new(slot: &Rc<Slot<C>>) -> Self {
        slot.users.set(slot.users.get() + 1);
        Self(slot.clone())
    }
}

impl<C> Deref for Lease<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0.connection
    }
}

impl<C> Drop for Lease<C> {
    fn drop(&mut self) {
        self.0.users.set(self.0.users.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    thread_local! {
        static TWO: Slots<u32> = const { Slots::new(2) };
    }

    fn acquire(connection: u32) -> Lease<u32> {
        let open = || async move { Ok::<_, ()>(connection) };
        Slots::acquire(&TWO, open).now_or_never().unwrap().unwrap()
    }

    #[test]
    fn a_busy_connection_is_shared_only_when_there_may_be_no_more() {
        let first = acquire(1);
        let second = acquire(2);
        assert_eq!((*first, *second), (1, 2));
        let third = acquire(3);
        assert!(*third < 3, "the limit is two");
        drop(second);
        drop(third);
        assert_eq!(*acquire(4), 2, "the idle one comes first");
    }

    #[test]
    fn a_broken_connection_is_not_given_out_again() {
        let broken = acquire(1);
        assert!(TWO.with(|slots| slots.forget(&broken)));
        assert!(!TWO.with(|slots| slots.forget(&broken)));
        assert_eq!(*acquire(2), 2);
    }
}
