//! Expiry: reports keys that expired in Redis as the end of presence and typing, and of pauses.
//!
//! Every replica receives every key; the expiring set lets only one of them report it.

#![allow(unsafe_code, reason = "redis_subscriber generates the exports")]

use anyhow::{Result, anyhow};
use bytes::Bytes;
use messaging::{RedisService, analytics, keys, presence, relay, typing, webhooks};
use spin_sdk::redis_subscriber;

#[redis_subscriber]
async fn on_expired(key: Bytes) -> Result<()> {
    platform::log::init();
    let key = str::from_utf8(&key).unwrap_or_default();
    let reported = if let Some(user) = keys::user_of_online(key) {
        presence::expired(user).await
    } else if let Some((conversation, user)) = keys::parts_of_typing_user(key) {
        typing::expired(conversation, user).await
    } else if keys::is_proxy_down(key) {
        // The relay tries the proxy again.
        relay::wake_up_if(true).await;
        Ok(())
    } else if let Some(webhook) = keys::webhook_of_due(key) {
        let queued = webhooks::enqueue(RedisService::required(), &[webhook]).await;
        queued.map_err(Into::into)
    } else if key == keys::figures_due() {
        analytics::count_live(RedisService::required(), false).await;
        Ok(())
    } else {
        Ok(())
    };
    reported.map_err(|error| anyhow!("expiry: {error}"))
}
