//! The doorbell of the relay: rung once per burst of changes, and once more
//! after it.
//!
//! A ring can be lost with the relay that heard it, and while its flag is set
//! nobody else rings. So an instance that rang, or found the bell rung, rings
//! again when the flag is gone for sure.

use std::cell::Cell;
use std::time::Duration;

use super::service::{args, millis};
use super::{RedisError, RedisService, keys, scripts};
use crate::clock;

/// The life of the flag that a ring is on its way.
const RING_LIFE: Duration = Duration::from_secs(1);

thread_local! {
    /// Whether this instance will ring again anyway.
    static AGAIN: Cell<bool> = const { Cell::new(false) };
}

impl RedisService {
    /// Tells the relay that there is work.
    pub async fn ring_relay(&self) -> Result<(), RedisError> {
        self.ring().await?;
        if !AGAIN.replace(true) {
            spin_sdk::wasip3::spawn(ring_again());
        }
        Ok(())
    }

    async fn ring(&self) -> Result<(), RedisError> {
        let arguments = args![keys::RELAY_CHANNEL, millis(RING_LIFE)];
        self.script(scripts::RING, keys::doorbell(), arguments)
            .await
    }
}

async fn ring_again() {
    clock::sleep(RING_LIFE + RING_LIFE / 10).await;
    AGAIN.set(false);
    // With Redis away the next change rings.
    let _ = RedisService::optional().ring().await;
}
