//! The relay: hears the doorbell and passes on what waits, whoever rang.

use anyhow::{Result, anyhow};
use bytes::Bytes;
use messaging::{log_line, relay};
use spin_sdk::redis_subscriber;

#[redis_subscriber]
async fn on_ring(_: Bytes) -> Result<()> {
    match relay::drain().await {
        Ok(0) => Ok(()),
        Ok(relayed) => {
            log_line!("DEBUG", "relayed {relayed} events");
            Ok(())
        }
        Err(error) => Err(anyhow!("relay: {error}")),
    }
}
