//! The cached list of a conversation's newest messages: absent or exact. And cached messages, by
//! their version.

use std::cell::Cell;
use std::time::Duration;

use futures::join;
use platform::clock::Instant;
use platform::redis::{Argument, RedisError, Script, millis, seconds};
use platform::{args, random};

use crate::cache::{self, Epoch, UNCONFIRMED_TTL};
use crate::ids::{ConversationId, MessageId, Ordinal};
use crate::messages::MessageHead;
use crate::{RedisService, keys};

/// Adds new messages to a cached list.
const LIST_APPEND: Script = Script::idempotent(include_str!("lua/list_append.lua"));
/// Fills an absent cached list.
const LIST_FILL: Script = Script::idempotent(include_str!("lua/list_fill.lua"));
/// Gives the newest messages as one array.
const LIST_PAGE: Script = Script::idempotent(include_str!("lua/list_page.lua"));
/// Confirms a list that was filled.
const LIST_CONFIRM: Script = Script::idempotent(include_str!("lua/list_confirm.lua"));
/// Finds out whether a list lacks messages.
const LIST_CHECK: Script = Script::idempotent(include_str!("lua/list_check.lua"));
/// Sets a cached message unless a newer version is there.
const MESSAGE_SET: Script = Script::idempotent(include_str!("lua/message_set.lua"));
/// Drops a cached message and keeps its version.
const MESSAGE_DROP: Script = Script::idempotent(include_str!("lua/message_drop.lua"));

/// How many messages a cached list holds at the most: the largest page.
pub const LIST_MAX: usize = 100;

/// How many messages a page has if the reader does not say. That page of an exact list is kept as one
/// JSON array beside the list, and is dropped by every script that changes the list.
pub const PAGE: usize = 50;

/// The keys of a conversation's list, all in one slot.
struct Keys {
    list: String,
    state: String,
    page: String,
}

impl Keys {
    fn of(conversation: ConversationId) -> Self {
        Self {
            list: keys::messages(conversation),
            state: keys::messages_state(conversation),
            page: keys::messages_page(conversation),
        }
    }

    fn all(&self) -> [&str; 3] {
        [&self.list, &self.state, &self.page]
    }
}

/// Adds new messages, the oldest first, to the cached list, if that is exact but for them, and
/// publishes an event on a channel, if there is one.
pub async fn append(
    redis: RedisService,
    epoch: &Epoch,
    conversation: ConversationId,
    messages: &[(Ordinal, &str)],
    publish: (&str, &str),
    ttl: Duration,
) -> Result<(), RedisError> {
    let keys = Keys::of(conversation);
    let mut arguments = args![epoch.as_str(), LIST_MAX, seconds(ttl), publish.0, publish.1];
    for (ordinal, json) in messages {
        arguments.extend(args![ordinal.get(), *json]);
    }
    redis.script_on(LIST_APPEND, &keys.all(), arguments).await
}

/// The newest messages of the cached list, oldest first; empty if there is no exact list.
pub async fn newest(
    redis: RedisService,
    epoch: &Epoch,
    conversation: ConversationId,
    limit: usize,
) -> Result<Vec<Vec<u8>>, RedisError> {
    let start = -i64::try_from(limit).unwrap_or(i64::MAX);
    let keys = Keys::of(conversation);
    let (state, page) = join!(redis.get(&keys.state), redis.lrange(&keys.list, start, -1));
    let exact = format!("{} exact", epoch.as_str());
    let is_exact = state?.is_some_and(|state| state == exact.as_bytes());
    Ok(if is_exact { page? } else { vec![] })
}

/// The newest [`PAGE`] messages, or all if there are fewer, as one JSON array; `None` if there is no
/// exact list.
pub async fn newest_page(
    redis: RedisService,
    epoch: &Epoch,
    conversation: ConversationId,
) -> Result<Option<Vec<u8>>, RedisError> {
    let keys = Keys::of(conversation);
    if let Some(kept) = redis.get(&keys.page).await?
        && let Some(page) = under(epoch, kept)
    {
        return Ok(Some(page));
    }
    let arguments = args![epoch.as_str(), PAGE];
    let made: Option<Vec<u8>> = redis.script_on(LIST_PAGE, &keys.all(), arguments).await?;
    Ok(made.and_then(|made| under(epoch, made)))
}

/// The value behind an epoch and a line feed.
fn under(epoch: &Epoch, mut value: Vec<u8>) -> Option<Vec<u8>> {
    let epoch = epoch.as_str().as_bytes();
    let is_of_it = value.starts_with(epoch) && value.get(epoch.len()) == Some(&b'\n');
    is_of_it.then(|| {
        value.drain(..=epoch.len());
        value
    })
}

/// A reader's lease on a list that it filled.
pub struct Fill {
    token: String,
}

/// Fills an absent list for a short TTL; `None` if another reader has.
pub async fn fill(
    redis: RedisService,
    epoch: &Epoch,
    conversation: ConversationId,
    messages: &[String],
) -> Result<Option<Fill>, RedisError> {
    let token = format!("{:016x}", random::number());
    let keys = Keys::of(conversation);
    let mut arguments = args![epoch.as_str(), &token, millis(UNCONFIRMED_TTL)];
    arguments.extend(messages.iter().map(Argument::parameter));
    let filled: bool = redis.script_on(LIST_FILL, &keys.all(), arguments).await?;
    Ok(filled.then_some(Fill { token }))
}

/// Confirms a list that was filled, unless it changed since; whether it is confirmed now.
pub async fn confirm(
    redis: RedisService,
    epoch: &Epoch,
    conversation: ConversationId,
    fill: &Fill,
    ttl: Duration,
) -> Result<bool, RedisError> {
    let keys = Keys::of(conversation);
    let arguments = args![epoch.as_str(), &fill.token, seconds(ttl)];
    redis
        .script_on(LIST_CONFIRM, &[&keys.list, &keys.state], arguments)
        .await
}

/// Drops the cached list.
pub async fn drop_list(
    redis: RedisService,
    conversation: ConversationId,
) -> Result<(), RedisError> {
    let keys = Keys::of(conversation);
    let keys = args![keys.list, keys.state, keys.page];
    redis
        .command(platform::redis::Repeat::Safe, "DEL", keys)
        .await
}

/// The ordinal of the cached list's last message, if the list lacks messages up to this one.
pub async fn last_before(
    redis: RedisService,
    conversation: ConversationId,
    newest: Ordinal,
) -> Result<Option<i64>, RedisError> {
    let key = keys::messages(conversation);
    let last: i64 = redis.script(LIST_CHECK, &key, args![newest.get()]).await?;
    Ok(Some(last).filter(|last| *last >= 0))
}

/// Whether a writer may still cache the message that it wrote: only at its first attempt, soon after
/// the statement. A later write would be refused by the version of a newer one; but a Redis that lost
/// its keys has forgotten that, and would take an old text.
pub struct Fresh {
    since: Instant,
    is_first: Cell<bool>,
}

impl Fresh {
    /// How long after the statement the first attempt may begin.
    const LIMIT: Duration = Duration::from_millis(250);

    /// From now on: the statement has just answered.
    pub fn begin() -> Self {
        Self {
            since: Instant::now(),
            is_first: Cell::new(true),
        }
    }

    /// Whether this attempt may set; no other one after it may.
    pub fn take(&self) -> bool {
        self.is_first.replace(false) && self.since.elapsed() < Self::LIMIT
    }
}

/// Caches a message, unless a newer version of it is cached. `version` is the seq of the newest event
/// that the JSON can show.
async fn set_message(
    redis: RedisService,
    epoch: &Epoch,
    message: (MessageId, i64, &str),
    ttl: Duration,
) -> Result<(), RedisError> {
    let (id, version, json) = message;
    let (key, version_key) = (keys::message(id), keys::message_version(id));
    let arguments = args![epoch.as_str(), version, seconds(ttl), json];
    redis
        .script_on(MESSAGE_SET, &[&key, &version_key], arguments)
        .await
}

/// Shares a message as its writer left it: sets it, or drops it if Redis is not the server that the
/// writer knew before the change.
pub async fn share_message(
    redis: RedisService,
    before: Option<&Epoch>,
    (id, version, json): (MessageId, i64, &str),
    ttl: Duration,
) -> Result<(), RedisError> {
    let epoch = cache::epoch().await?;
    if before.is_some_and(|before| before.is_same_server(&epoch)) {
        set_message(redis, &epoch, (id, version, json), ttl).await
    } else {
        drop_message(redis, &epoch, id, version, ttl).await
    }
}

/// Drops a cached message that an event has made out of date.
pub async fn drop_message(
    redis: RedisService,
    epoch: &Epoch,
    id: MessageId,
    version: i64,
    ttl: Duration,
) -> Result<(), RedisError> {
    let (key, version_key) = (keys::message(id), keys::message_version(id));
    let arguments = args![epoch.as_str(), version, seconds(ttl)];
    redis
        .script_on(MESSAGE_DROP, &[&key, &version_key], arguments)
        .await
}

/// A cached message, if it was written under this epoch.
pub async fn message(
    redis: RedisService,
    epoch: &Epoch,
    id: MessageId,
) -> Result<Option<(MessageHead, Vec<u8>)>, RedisError> {
    let (key, version_key) = (keys::message(id), keys::message_version(id));
    let (version, json) = join!(redis.get(&version_key), redis.get(&key));
    let written = version?.is_some_and(|version| {
        let epoch = epoch.as_str().as_bytes();
        version.starts_with(epoch) && version.get(epoch.len()) == Some(&b' ')
    });
    let json = json?.filter(|_| written);
    Ok(json.and_then(|json| {
        let head = MessageHead::parse(&json).filter(|head| head.id == id)?;
        Some((head, json))
    }))
}
