//! The notifier: sends what has to be sent to receivers outside of the service.

#![allow(unsafe_code, reason = "redis_subscriber generates the exports")]

use anyhow::{Result, anyhow};
use bytes::Bytes;
use messaging::webhooks;
use spin_sdk::redis_subscriber;

#[redis_subscriber]
async fn on_wake_up(_: Bytes) -> Result<()> {
    platform::log::init();
    match webhooks::run().await {
        Ok(0) => Ok(()),
        Ok(served) => {
            log::debug!("served {served} receivers");
            Ok(())
        }
        Err(error) => Err(anyhow!("notifier: {error}")),
    }
}
