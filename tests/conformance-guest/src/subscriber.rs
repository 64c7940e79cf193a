//! Handles messages of a Redis channel.

use anyhow::{Result, anyhow, bail};
use bytes::Bytes;
use spin_sdk::{redis_subscriber, variables};

use crate::{
    instance::{begin_request, describe, pause},
    redis::{connect, failed},
};

/// Appends the payload to the list `<channel>:received`, and what it knows of
/// its instance to `<channel>:instances`. The payloads `panic` and `error` do
/// as they say, and `slow` takes its time.
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
