//! The relay: delivers the changes that wait, whichever request woke it.

#![allow(unsafe_code, reason = "redis_subscriber generates the exports")]

use anyhow::{Result, anyhow};
use bytes::Bytes;
use messaging::relay;
use spin_sdk::redis_subscriber;

#[redis_subscriber]
async fn on_wake_up(payload: Bytes) -> Result<()> {
    platform::log::init();
    match relay::drain(&payload).await {
        Ok(0) => Ok(()),
        Ok(delivered) => {
            log::debug!("relayed {delivered} events");
            Ok(())
        }
        Err(error) => Err(anyhow!("relay: {error}")),
    }
}
