//! The queue of receivers that have something to get: a stream in Redis with a consumer group.
//!
//! An entry names a receiver, and not what it gets: PostgreSQL knows that. So an entry that is there twice,
//! or was lost, does no harm; and a receiver with much to get does not stand before others.

use std::time::Duration;

use platform::args;
use platform::postgres::query;
use platform::redis::{Argument, RedisError, Repeat, Script, millis};

use super::store::LEASE;
use crate::ids::WebhookId;
use crate::{RedisService, Result, keys};

/// Adds receivers, and wakes the workers.
const ENQUEUE: Script = Script::idempotent(include_str!("lua/enqueue.lua"));
/// Takes entries.
const TAKE: Script = Script::once(include_str!("lua/take.lua"));
/// Removes an entry.
const FINISH: Script = Script::idempotent(include_str!("lua/finish.lua"));

const GROUP: &str = "notifier";
/// How many entries a worker takes at once.
const COUNT: usize = 16;
/// How often an entry may be taken: workers that take it die, of what it makes them do.
const MAX_TAKEN: usize = 5;
/// How many dead letters are kept.
const DEAD_LETTERS: usize = 10_000;

/// An entry that a worker has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id in the stream.
    pub id: String,
    /// Who has something to get.
    pub webhook: WebhookId,
    /// Whether workers died of it, and it is among the dead letters.
    pub is_dead: bool,
}

/// Adds receivers to the queue and wakes the workers.
pub async fn enqueue(redis: RedisService, receivers: &[WebhookId]) -> Result<(), RedisError> {
    add(redis, receivers, keys::WEBHOOKS_CHANNEL).await
}

async fn add(
    redis: RedisService,
    receivers: &[WebhookId],
    channel: &str,
) -> Result<(), RedisError> {
    if receivers.is_empty() {
        return Ok(());
    }
    let mut arguments = args![channel];
    arguments.extend(receivers.iter().map(|receiver| receiver.get().parameter()));
    let keys = [keys::webhooks_queue(), keys::webhooks_queued()];
    redis.script_on(ENQUEUE, &keys, arguments).await
}

/// Adds the receivers that PostgreSQL knows to have something to get, and no worker: what the stream lost,
/// and what is due without having been announced. For workers, which need not be woken.
pub async fn refill(redis: RedisService) -> Result<()> {
    Ok(add(redis, &due().await?, "").await?)
}

/// Wakes the workers if there is something to send. For whatever looks at the database anyway: a key whose
/// expiry should have done it may be lost.
pub async fn wake_up_if_due() {
    if let Ok(receivers) = due().await {
        // With Redis away there is no worker to receive it.
        let _ = enqueue(RedisService::optional(), &receivers).await;
    }
}

async fn due() -> Result<Vec<WebhookId>> {
    const DUE: &str = "select id from due_webhooks()";
    let rows = query(platform::postgres::Repeat::Safe, DUE, vec![]).await?;
    rows.into_iter().map(|mut row| Ok(row.take()?)).collect()
}

/// Wakes the workers for a receiver after a time.
pub async fn ring_later(
    redis: RedisService,
    receiver: WebhookId,
    after: Duration,
) -> Result<(), RedisError> {
    let key = keys::webhook_due(receiver);
    // By then it is due by the clock of PostgreSQL, too.
    let after = after + Duration::from_millis(20);
    redis.set(&key, b"1", Some(after)).await
}

/// Takes entries, those of dead workers first.
pub async fn take(redis: RedisService, worker: &str) -> Result<Vec<Entry>, RedisError> {
    let keys = [
        keys::webhooks_queue(),
        keys::webhooks_queued(),
        keys::webhooks_dead(),
    ];
    let arguments = args![GROUP, worker, COUNT, millis(LEASE), MAX_TAKEN, DEAD_LETTERS];
    let taken: Vec<String> = redis.script_on(TAKE, &keys, arguments).await?;
    let entry = |parts: &[String]| {
        Some(Entry {
            id: parts[0].clone(),
            webhook: parts[1].parse().ok()?,
            is_dead: parts[2] == "1",
        })
    };
    Ok(taken.chunks_exact(3).filter_map(entry).collect())
}

/// A sign that the worker that has the entry is alive.
pub async fn renew(redis: RedisService, worker: &str, entry: &Entry) -> Result<(), RedisError> {
    let arguments = args![
        keys::webhooks_queue(),
        GROUP,
        worker,
        0_i64,
        &entry.id,
        "JUSTID"
    ];
    redis.command(Repeat::Safe, "XCLAIM", arguments).await
}

/// Removes an entry that a worker is done with.
pub async fn finish(redis: RedisService, entry: &Entry) -> Result<(), RedisError> {
    redis
        .script(FINISH, keys::webhooks_queue(), args![GROUP, &entry.id])
        .await
}

/// Removes a worker that has no entry any more.
pub async fn leave(redis: RedisService, worker: &str) -> Result<(), RedisError> {
    let arguments = args!["DELCONSUMER", keys::webhooks_queue(), GROUP, worker];
    redis.command(Repeat::Safe, "XGROUP", arguments).await
}

/// Adds a delivery that failed for the last time to the dead letters.
pub async fn bury(redis: RedisService, delivery: &str, reason: &str) -> Result<(), RedisError> {
    let length = DEAD_LETTERS;
    let key = keys::webhooks_dead();
    let arguments = args![
        key, "MAXLEN", "~", length, "*", "delivery", delivery, "reason", reason
    ];
    redis.command(Repeat::Unsafe, "XADD", arguments).await
}
