//! Handles messages of a Redis channel.

#![allow(unsafe_code, reason = "redis_subscriber generates the exports")]

use anyhow::{Result, anyhow, bail};
use bytes::Bytes;
use spin_sdk::{redis_subscriber, variables};

use crate::{
    instance::{begin_request, describe, pause},
    redis::{connect, failed},
};

/// Appends the payload to the list `<channel>:received`, and the state of the
/// instance to `<channel>:instances`. The payload `panic` panics, `error` fails,
/// and `slow` sleeps first.
#[redis_subscriber]
async fn on_message(payload: Bytes) -> Result<()> {
    let _served = begin_request();
    let channel = variables::get("channel")
        .await
        .map_err(|error| anyhow!("{error:?}"))?;
    match payload.as_ref() {
        b"panic" => panic!("as the message wished"),
        b"error" => bail!("as the message wished"),
        b"slow" => pause(300).await,
        _ => {}
    }
    let connection = connect().await?;
    push(&connection, format!("{channel}:received"), payload.to_vec()).await?;
    push(
        &connection,
        format!("{channel}:instances"),
        describe().to_string().into_bytes(),
    )
    .await
}

async fn push(connection: &spin_sdk::redis::Connection, key: String, value: Vec<u8>) -> Result<()> {
    use spin_sdk::redis::RedisParameter::Binary;
    let arguments = vec![Binary(key.into_bytes()), Binary(value)];
    connection
        .execute("RPUSH", arguments)
        .await
        .map_err(failed)?;
    Ok(())
}
