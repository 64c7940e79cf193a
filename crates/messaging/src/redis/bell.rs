//! The doorbell of the relay: rung when a burst of changes begins, now and then
//! while it lasts, and once more after it.
//!
//! An instance rings for its first change at once and for those that follow
//! closely together, so that the relay passes many on at a time. And a ring can
//! be lost with the relay that heard it, while its flag keeps others from
//! ringing; so an instance rings again when the flag is gone for sure.

use std::cell::Cell;
use std::time::Duration;

use super::service::{args, millis};
use super::{RedisError, RedisService, keys, scripts};
use crate::clock;

/// The life of the flag that a ring is on its way.
const RING_LIFE: Duration = Duration::from_secs(1);
/// The shortest time between two rings of an instance.
const SPACING: Duration = Duration::from_millis(20);

/// What an instance knows of its own rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bell {
    /// It has not rung lately.
    Quiet,
    /// It has, and nothing changed since.
    Rung,
    /// It has, and there were changes since: it is about to ring for them.
    Due,
}

thread_local! {
    static BELL: Cell<Bell> = const { Cell::new(Bell::Quiet) };
    /// Whether this instance will ring once more after all.
    static ONCE_MORE: Cell<bool> = const { Cell::new(false) };
}

impl RedisService {
    /// Tells the relay that there is work.
    pub async fn ring_relay(&self) -> Result<(), RedisError> {
        if BELL.get() != Bell::Quiet {
            BELL.set(Bell::Due);
            return Ok(());
        }
        BELL.set(Bell::Rung);
        spin_sdk::wasip3::spawn(ring_while_due());
        if !ONCE_MORE.replace(true) {
            spin_sdk::wasip3::spawn(ring_once_more());
        }
        self.ring().await
    }

    async fn ring(&self) -> Result<(), RedisError> {
        let arguments = args![keys::RELAY_CHANNEL, millis(RING_LIFE)];
        self.script(scripts::RING, keys::doorbell(), arguments)
            .await
    }
}

async fn ring_while_due() {
    loop {
        clock::sleep(SPACING).await;
        if BELL.get() != Bell::Due {
            BELL.set(Bell::Quiet);
            return;
        }
        BELL.set(Bell::Rung);
        // With Redis away whoever made the change offers it again.
        let _ = RedisService::optional().ring().await;
    }
}

async fn ring_once_more() {
    clock::sleep(RING_LIFE + RING_LIFE / 10).await;
    ONCE_MORE.set(false);
    // With Redis away the next change rings.
    let _ = RedisService::optional().ring().await;
}
