//! How a value gets into Redis without ever being wrong there.
//!
//! A reader that fills the cache may hold a snapshot that just became old. So a
//! filled value lives a few seconds only, until one more look at the database
//! shows that nothing was written in between; every writer drops or extends
//! what it changed after its commit, and so either the writer sees the filled
//! value, or the second look sees the write. Whoever dies half way leaves a
//! value that expires by itself.

use std::future::Future;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use futures::join;
use platform::redis::{RedisError, Repeat::Unsafe, millis};
use platform::{args, clock, config, task};

use crate::events::{Event, MessageChange};
use crate::ids::{ConversationId, MessageId, Ordinal};
use crate::messages::list_cache;
use crate::{RedisService, Result, keys, messages, relay};

/// The TTL of a cached value that is not yet confirmed.
const UNCONFIRMED_TTL: Duration = Duration::from_secs(5);

/// How long a change that Redis did not take is offered again.
const REPAIR_ATTEMPTS: u32 = 8;

/// The TTL of cached messages.
pub async fn message_ttl() -> Result<Duration> {
    config::seconds("message_cache_ttl").await
}

/// The TTL of cached conversations.
pub async fn conversation_ttl() -> Result<Duration> {
    config::seconds("conversation_cache_ttl").await
}

/// Fills the cached list of a conversation from a snapshot of `list_seq`.
pub async fn fill_list(
    conversation: ConversationId,
    list_seq: i64,
    newest: &[String],
) -> Result<()> {
    let redis = RedisService::optional();
    let Some(last) = newest.last() else {
        return Ok(());
    };
    if !list_cache::fill(redis, conversation, newest).await? {
        return Ok(());
    }
    if messages::list_seq(conversation).await? == Some(list_seq) {
        list_cache::confirm(redis, conversation, last, message_ttl().await?).await?;
    } else {
        redis.del(&keys::messages(conversation)).await?;
    }
    Ok(())
}

/// Fills a cached value, if it is absent; `again` reads it once more from the database.
pub async fn fill_value(
    key: &str,
    value: &str,
    ttl: Duration,
    again: impl Future<Output = Result<Option<String>>>,
) -> Result<()> {
    let redis = RedisService::optional();
    let set = args![key, value, "NX", "PX", millis(UNCONFIRMED_TTL)];
    if !redis.command::<bool>(Unsafe, "SET", set).await? {
        return Ok(());
    }
    if again.await?.as_deref() == Some(value) {
        redis.expire(key, ttl).await?;
    } else {
        redis.del(key).await?;
    }
    Ok(())
}

/// Shares a committed new message: cached list, single message, channel and
/// relay, in one round trip. Nothing of it can fail the request.
pub async fn share_new(change: &MessageChange, ordinal: Ordinal) {
    let redis = RedisService::optional();
    let ttl = message_ttl().await.unwrap_or(UNCONFIRMED_TTL);
    let (added, woken) = join!(
        redis.add_message_to_conversation(change, ordinal, ttl),
        relay::wake_up(redis),
    );
    repair_unless(added.and(woken), stale_with(change));
}

/// Shares a message that was posted before: whoever posted it may have died
/// before sharing it.
pub async fn share_again(conversation: ConversationId, ordinal: Ordinal, json: &str) {
    let redis = RedisService::optional();
    let ttl = message_ttl().await.unwrap_or(UNCONFIRMED_TTL);
    let messages = [(ordinal, json)];
    // What Redis does not take now, the relay gives it when it is back.
    let _ = join!(
        list_cache::append(redis, conversation, &messages, ttl),
        relay::wake_up(redis),
    );
}

/// Shares a committed edit or deletion: what the cache holds of the message is
/// out of date.
pub async fn share_change(change: &MessageChange) {
    share_event(&change.event, stale_with(change)).await;
}

/// Shares a committed event: drops the keys that it made out of date, in the
/// same round trip as channel and relay.
pub async fn share_event(event: &Event, stale: Vec<String>) {
    let redis = RedisService::optional();
    let dropped = join_all(stale.iter().map(|key| redis.del(key)));
    let (dropped, announced) = join!(dropped, event.announce(redis));
    let dropped: Result<Vec<bool>, RedisError> = dropped.into_iter().collect();
    repair_unless(dropped.map(|_| ()).and(announced), stale);
}

fn stale_with(change: &MessageChange) -> Vec<String> {
    vec![
        keys::messages(change.event.conversation),
        keys::message(change.id),
    ]
}

/// What Redis did not take is made good when it is back: by the relay, which
/// finds the event in the database, and by this instance for as long as it lives.
fn repair_unless(shared: Result<(), RedisError>, stale: Vec<String>) {
    if let Err(cause) = shared {
        log::warn!("a change is not in Redis yet: {cause}");
        drop_later(stale);
    }
}

/// Drops keys that are out of date as soon as Redis takes it, and rings the relay.
fn drop_later(keys: Vec<String>) {
    task::spawn(async move {
        let redis = RedisService::optional();
        for attempt in 0..REPAIR_ATTEMPTS {
            clock::sleep(Duration::from_millis(100 << attempt.min(5))).await;
            let dropped = try_join_all(keys.iter().map(|key| redis.del(key)));
            let (dropped, woken) = join!(dropped, relay::wake_up(redis));
            if dropped.is_ok() && woken.is_ok() {
                return;
            }
        }
    });
}

/// Drops what the cache holds of a message that changed.
pub async fn drop_message(
    redis: RedisService,
    conversation: ConversationId,
    id: MessageId,
) -> Result<(), RedisError> {
    let (list, single) = (keys::messages(conversation), keys::message(id));
    let (list, single) = join!(redis.del(&list), redis.del(&single));
    list.and(single).map(|_| ())
}
