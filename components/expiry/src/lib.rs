//! Expiry: hears of keys that expired in Redis, and tells the end of presence
//! and typing.
//!
//! Every replica hears of every key; the roster lets only one of them tell it.

use anyhow::{Result, anyhow};
use bytes::Bytes;
use messaging::redis::keys;
use messaging::{presence, typing};
use spin_sdk::redis_subscriber;

#[redis_subscriber]
async fn on_expired(key: Bytes) -> Result<()> {
    let key = str::from_utf8(&key).unwrap_or_default();
    let told = if let Some(user) = keys::user_of_online(key) {
        presence::expired(user).await
    } else if let Some((conversation, user)) = keys::parts_of_typing_user(key) {
        typing::expired(conversation, user).await
    } else {
        Ok(())
    };
    told.map_err(|error| anyhow!("expiry: {error}"))
}
