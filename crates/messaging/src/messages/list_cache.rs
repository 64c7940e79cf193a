//! The cached list of a conversation's newest messages: absent or exact.

use std::time::Duration;

use futures::join;
use platform::args;
use platform::redis::{Argument, RedisError, Script, millis, seconds};

use crate::events::MessageChange;
use crate::ids::{ConversationId, Ordinal};
use crate::{RedisService, keys};

/// Adds new messages to a cached list.
const LIST_APPEND: Script = Script::idempotent(include_str!("lua/list_append.lua"));
/// Fills an absent cached list.
const LIST_FILL: Script = Script::idempotent(include_str!("lua/list_fill.lua"));
/// Confirms a list that was filled.
const LIST_CONFIRM: Script = Script::idempotent(include_str!("lua/list_confirm.lua"));

/// How many messages a cached list holds at the most: the largest page.
pub const LIST_MAX: usize = 100;

/// The TTL of a list that is not yet confirmed.
const UNCONFIRMED_TTL: Duration = Duration::from_secs(5);

/// Shares a committed message: adds it to the cached list if that is there and exact, publishes
/// its event, and sets it as a single message.
pub async fn add_message(
    redis: RedisService,
    change: &MessageChange,
    ordinal: Ordinal,
    ttl: Duration,
) -> Result<(), RedisError> {
    let MessageChange { id, event } = change;
    let json = event.message.as_deref().unwrap_or_default();
    let single = keys::message(*id);
    let (channel, line) = (keys::messages_channel(event.conversation), event.to_json());
    let messages = [(ordinal, json)];
    let (list, single) = join!(
        append_and_publish(redis, event.conversation, &messages, ttl, &channel, &line),
        redis.set(&single, json.as_bytes(), Some(ttl)),
    );
    list.and(single)
}

/// Adds new messages, the oldest first, to the cached list, if that is there and exact but for
/// them.
pub async fn append(
    redis: RedisService,
    conversation: ConversationId,
    messages: &[(Ordinal, &str)],
    ttl: Duration,
) -> Result<(), RedisError> {
    append_and_publish(redis, conversation, messages, ttl, "", "").await
}

/// Publishes `event`, if there is a `channel`.
async fn append_and_publish(
    redis: RedisService,
    conversation: ConversationId,
    messages: &[(Ordinal, &str)],
    ttl: Duration,
    channel: &str,
    event: &str,
) -> Result<(), RedisError> {
    let mut arguments = args![LIST_MAX, seconds(ttl), channel, event];
    for &(ordinal, json) in messages {
        arguments.extend(args![ordinal.get(), json]);
    }
    redis
        .script(LIST_APPEND, &keys::messages(conversation), arguments)
        .await
}

/// The newest messages of the cached list, oldest first; empty if there is no list, or none that
/// is confirmed.
pub async fn newest(
    redis: RedisService,
    conversation: ConversationId,
    limit: usize,
) -> Result<Vec<Vec<u8>>, RedisError> {
    let start = -i64::try_from(limit).unwrap_or(i64::MAX);
    let page = redis
        .lrange(&keys::messages(conversation), start, -1)
        .await?;
    let unconfirmed = page.last().is_some_and(|newest| newest.starts_with(b" "));
    Ok(if unconfirmed { vec![] } else { page })
}

/// Fills an absent list for a short TTL; whether this call filled it.
pub async fn fill(
    redis: RedisService,
    conversation: ConversationId,
    messages: &[String],
) -> Result<bool, RedisError> {
    let mut arguments = args![millis(UNCONFIRMED_TTL)];
    arguments.extend(messages.iter().map(Argument::parameter));
    redis
        .script(LIST_FILL, &keys::messages(conversation), arguments)
        .await
}

/// Confirms a list that was filled, unless it changed since; whether it is confirmed now.
pub async fn confirm(
    redis: RedisService,
    conversation: ConversationId,
    newest: &str,
    ttl: Duration,
) -> Result<bool, RedisError> {
    let arguments = args![newest, seconds(ttl)];
    redis
        .script(LIST_CONFIRM, &keys::messages(conversation), arguments)
        .await
}
