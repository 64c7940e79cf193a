//! Emptying Redis of what is derived from PostgreSQL, for when PostgreSQL itself went back in time.

use anyhow::{Context, Result};
use redis::aio::MultiplexedConnection;

/// How many keys one look at Redis goes through.
const COUNT: usize = 1000;

/// Whether a key holds what the service makes anew from PostgreSQL: cached contents and rights,
/// unread counts, streams and feeds, figures, and what is known of them. Presence, typing, rates and tickets
/// are only in Redis.
#[must_use]
pub fn is_derived(key: &str) -> bool {
    let name = key.strip_prefix('{').unwrap_or(key);
    let parts: Vec<&str> = name.split([':', '}']).collect();
    match parts[..] {
        ["conversation", _, "typing", ..] => false,
        ["conversation" | "message", id, ..] => is_id(id),
        ["user", id, "feed", ..] => is_id(id),
        ["messaging" | "stats", ..] => true,
        _ => false,
    }
}

/// Whether a key holds contents or titles, which are cached as the database had them.
#[must_use]
pub fn has_texts(key: &str) -> bool {
    let parts: Vec<&str> = key.split(':').collect();
    match parts[..] {
        ["message" | "conversation", id] => is_id(id),
        ["conversation", id, "messages"] => is_id(id),
        ["{conversation", id, "messages}", "state" | "page"] => is_id(id),
        ["{conversation", id, "rights"] | ["{conversation", id, "assistant", _] => {
            id.strip_suffix('}').is_some_and(is_id)
        }
        _ => false,
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Deletes every key that is derived, and wakes the relay to write unread counts anew; how many keys
/// there were.
///
/// # Errors
///
/// When Redis does not answer.
pub async fn flush(redis_url: &str) -> Result<usize> {
    let mut redis = connect(redis_url).await?;
    let deleted = delete(&mut redis, is_derived).await?;
    let mut wake_up = redis::cmd("PUBLISH");
    let wake_up = wake_up.arg("messaging:events").arg("");
    wake_up.query_async::<()>(&mut redis).await?;
    Ok(deleted)
}

/// Deletes every key that has contents or titles; how many there were.
///
/// # Errors
///
/// When Redis does not answer.
pub async fn flush_texts(redis_url: &str) -> Result<usize> {
    delete(&mut connect(redis_url).await?, has_texts).await
}

async fn connect(redis_url: &str) -> Result<MultiplexedConnection> {
    let client = redis::Client::open(redis_url).context("REDIS_URL is malformed")?;
    let connection = client.get_multiplexed_async_connection().await;
    connection.context("Redis cannot be reached")
}

async fn delete(redis: &mut MultiplexedConnection, is_to_go: fn(&str) -> bool) -> Result<usize> {
    let (mut cursor, mut deleted) = (0, 0);
    loop {
        let (next, keys) = scan(redis, cursor, is_to_go).await?;
        if !keys.is_empty() {
            deleted += redis::cmd("UNLINK")
                .arg(&keys)
                .query_async::<usize>(redis)
                .await?;
        }
        cursor = next;
        if cursor == 0 {
            return Ok(deleted);
        }
    }
}

/// Some keys that are to go, and the cursor of the next look.
async fn scan(
    redis: &mut MultiplexedConnection,
    cursor: u64,
    is_to_go: fn(&str) -> bool,
) -> Result<(u64, Vec<String>)> {
    let mut scan = redis::cmd("SCAN");
    let scan = scan.arg(cursor).arg("COUNT").arg(COUNT);
    let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(redis).await?;
    let keys = keys
        .into_iter()
        .filter_map(|key| String::from_utf8(key).ok());
    Ok((next, keys.filter(|key| is_to_go(key)).collect()))
}
