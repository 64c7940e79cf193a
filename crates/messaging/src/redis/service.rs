//! `RedisService`: the typed commands that all components use.
//!
//! Every method is one command on one key, or several that go out together in
//! one round trip.

use std::time::Duration;

use futures::join;
use serde::Serialize;
use serde::de::DeserializeOwned;
use spin_sdk::redis::RedisParameter;

use super::connection::{self, Patience, RedisError};
use super::reply::FromReply;
use super::scripts::{self, Script};
use super::{RedisError as E, keys};
use crate::events::MessageChange;
use crate::ids::{ConversationId, MessageId, Ordinal};

/// A value or key in a command.
pub trait Argument {
    /// As the host takes it.
    fn parameter(self) -> RedisParameter;
}

impl Argument for &str {
    fn parameter(self) -> RedisParameter {
        RedisParameter::Binary(self.as_bytes().to_vec())
    }
}

impl Argument for &String {
    fn parameter(self) -> RedisParameter {
        self.as_str().parameter()
    }
}

impl Argument for String {
    fn parameter(self) -> RedisParameter {
        RedisParameter::Binary(self.into_bytes())
    }
}

impl Argument for &[u8] {
    fn parameter(self) -> RedisParameter {
        RedisParameter::Binary(self.to_vec())
    }
}

impl Argument for i64 {
    fn parameter(self) -> RedisParameter {
        RedisParameter::Int64(self)
    }
}

impl Argument for usize {
    fn parameter(self) -> RedisParameter {
        RedisParameter::Int64(i64::try_from(self).unwrap_or(i64::MAX))
    }
}

impl Argument for f64 {
    fn parameter(self) -> RedisParameter {
        self.to_string().parameter()
    }
}

/// Builds a command's arguments from values of different types.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::redis::service::Argument::parameter($value)),*] };
}
pub(crate) use args;

/// The life of a cached value that is not yet confirmed.
pub(crate) const UNCONFIRMED: Duration = Duration::from_secs(5);

/// The instance's Redis, with the patience that the request at hand has.
#[derive(Debug, Clone, Copy)]
pub struct RedisService {
    patience: Patience,
}

impl RedisService {
    /// For requests that can do without Redis.
    #[must_use]
    pub const fn optional() -> Self {
        Self {
            patience: Patience::Optional,
        }
    }

    /// For requests about what only Redis holds.
    #[must_use]
    pub const fn required() -> Self {
        Self {
            patience: Patience::Required,
        }
    }

    /// Runs any command.
    pub async fn command<T: FromReply>(
        &self,
        command: &'static str,
        arguments: Vec<RedisParameter>,
    ) -> Result<T, E> {
        connection::execute(self.patience, command, arguments)
            .await
            .and_then(T::from_reply)
    }

    /// Runs a script on its one key.
    pub async fn script<T: FromReply>(
        &self,
        script: Script,
        key: &str,
        arguments: Vec<RedisParameter>,
    ) -> Result<T, E> {
        let mut all = args![script.0, 1_i64, key];
        all.extend(arguments);
        self.command("EVAL", all).await
    }

    // Strings and lives.

    /// The value of a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, E> {
        self.command("GET", args![key]).await
    }

    /// Sets a key, with a life or for good.
    pub async fn set(&self, key: &str, value: &[u8], life: Option<Duration>) -> Result<(), E> {
        let mut all = args![key, value];
        if let Some(life) = life {
            all.extend(args!["PX", millis(life)]);
        }
        self.command("SET", all).await
    }

    /// Deletes a key; whether it was there.
    pub async fn del(&self, key: &str) -> Result<bool, E> {
        self.command("DEL", args![key]).await
    }

    /// Gives a key a life; whether it was there.
    pub async fn expire(&self, key: &str, life: Duration) -> Result<bool, E> {
        self.command("PEXPIRE", args![key, millis(life)]).await
    }

    /// The rest of a key's life; `None` if it is absent or stays for good.
    pub async fn ttl(&self, key: &str) -> Result<Option<Duration>, E> {
        let rest: i64 = self.command("PTTL", args![key]).await?;
        Ok(u64::try_from(rest).ok().map(Duration::from_millis))
    }

    // Hashes.

    /// Sets a field; whether it is new.
    pub async fn hset(&self, key: &str, field: &str, value: &[u8]) -> Result<bool, E> {
        self.command("HSET", args![key, field, value]).await
    }

    /// A field's value.
    pub async fn hget(&self, key: &str, field: &str) -> Result<Option<Vec<u8>>, E> {
        self.command("HGET", args![key, field]).await
    }

    /// All fields with their values.
    pub async fn hgetall(&self, key: &str) -> Result<Vec<(String, Vec<u8>)>, E> {
        self.command("HGETALL", args![key]).await
    }

    /// Sets several fields.
    pub async fn hmset(&self, key: &str, fields: &[(&str, &[u8])]) -> Result<(), E> {
        let mut all = args![key];
        for (field, value) in fields {
            all.extend(args![*field, *value]);
        }
        self.command("HSET", all).await
    }

    // Lists.

    /// Puts values before a list, one after the other; its new length.
    pub async fn lpush(&self, key: &str, values: &[&[u8]]) -> Result<i64, E> {
        self.command("LPUSH", with_key(key, values)).await
    }

    /// Puts values behind a list; its new length.
    pub async fn rpush(&self, key: &str, values: &[&[u8]]) -> Result<i64, E> {
        self.command("RPUSH", with_key(key, values)).await
    }

    /// The values from `start` to `stop`, both included; negative counts from the end.
    pub async fn lrange(&self, key: &str, start: i64, stop: i64) -> Result<Vec<Vec<u8>>, E> {
        self.command("LRANGE", args![key, start, stop]).await
    }

    /// Keeps only the values from `start` to `stop`.
    pub async fn ltrim(&self, key: &str, start: i64, stop: i64) -> Result<(), E> {
        self.command("LTRIM", args![key, start, stop]).await
    }

    // Sets.

    /// Adds a member; whether it is new.
    pub async fn sadd(&self, key: &str, member: impl Argument) -> Result<bool, E> {
        self.command("SADD", args![key, member]).await
    }

    /// All members.
    pub async fn smembers(&self, key: &str) -> Result<Vec<String>, E> {
        self.command("SMEMBERS", args![key]).await
    }

    /// Removes a member; whether it was there.
    pub async fn srem(&self, key: &str, member: impl Argument) -> Result<bool, E> {
        self.command("SREM", args![key, member]).await
    }

    // Sorted sets.

    /// Gives a member a score; whether it is new.
    pub async fn zadd(&self, key: &str, member: impl Argument, score: f64) -> Result<bool, E> {
        self.command("ZADD", args![key, score, member]).await
    }

    /// The members by rank, lowest score first.
    pub async fn zrange(&self, key: &str, start: i64, stop: i64) -> Result<Vec<String>, E> {
        self.command("ZRANGE", args![key, start, stop]).await
    }

    /// The members by rank with their scores.
    pub async fn zrange_withscores(
        &self,
        key: &str,
        start: i64,
        stop: i64,
    ) -> Result<Vec<(String, f64)>, E> {
        self.command("ZRANGE", args![key, start, stop, "WITHSCORES"])
            .await
    }

    /// The members with a score in a range; bounds as Redis writes them (`5`, `(5`, `+inf`).
    pub async fn zrangebyscore(&self, key: &str, min: &str, max: &str) -> Result<Vec<String>, E> {
        self.command("ZRANGEBYSCORE", args![key, min, max]).await
    }

    /// The members with a score in a range, with their scores.
    pub async fn zrangebyscore_withscores(
        &self,
        key: &str,
        min: &str,
        max: &str,
    ) -> Result<Vec<(String, f64)>, E> {
        self.command("ZRANGEBYSCORE", args![key, min, max, "WITHSCORES"])
            .await
    }

    // Channels.

    /// Publishes to a channel; how many received it on this node.
    pub async fn publish(&self, channel: &str, payload: &[u8]) -> Result<i64, E> {
        self.command("PUBLISH", args![channel, payload]).await
    }

    // JSON.

    /// Sets a key to a value as JSON.
    pub async fn set_json<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        life: Option<Duration>,
    ) -> Result<(), E> {
        self.set(key, &to_json(value)?, life).await
    }

    /// A key's value read from JSON.
    pub async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, E> {
        self.get(key)
            .await?
            .map(|json| from_json(&json))
            .transpose()
    }

    /// Takes a key's value, read from JSON, away.
    pub async fn take_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, E> {
        let json: Option<Vec<u8>> = self.command("GETDEL", args![key]).await?;
        json.map(|json| from_json(&json)).transpose()
    }

    /// Sets a field to a value as JSON; whether it is new.
    pub async fn hset_json<T: Serialize>(
        &self,
        key: &str,
        field: &str,
        value: &T,
    ) -> Result<bool, E> {
        self.hset(key, field, &to_json(value)?).await
    }

    /// A field's value read from JSON.
    pub async fn hget_json<T: DeserializeOwned>(
        &self,
        key: &str,
        field: &str,
    ) -> Result<Option<T>, E> {
        self.hget(key, field)
            .await?
            .map(|json| from_json(&json))
            .transpose()
    }

    // Messages.

    /// Shares a committed message: adds it to the cached list if that is there
    /// and exact, publishes its event, and sets it as a single message.
    pub async fn add_message_to_conversation(
        &self,
        change: &MessageChange,
        ordinal: Ordinal,
        life: Duration,
    ) -> Result<(), E> {
        let MessageChange { id, event } = change;
        let json = event.message.as_deref().unwrap_or_default();
        let single = keys::message(*id);
        let (channel, line) = (keys::messages_channel(event.conversation), event.to_json());
        let messages = [(ordinal, json)];
        let (list, single) = join!(
            self.append(event.conversation, &messages, life, &channel, &line),
            self.set(&single, json.as_bytes(), Some(life)),
        );
        list.and(single)
    }

    /// Adds new messages, the oldest first, to the cached list, if that is there
    /// and exact but for them.
    pub async fn append_to_list(
        &self,
        conversation: ConversationId,
        messages: &[(Ordinal, &str)],
        life: Duration,
    ) -> Result<(), E> {
        self.append(conversation, messages, life, "", "").await
    }

    /// Publishes `event`, if there is a `channel`.
    async fn append(
        &self,
        conversation: ConversationId,
        messages: &[(Ordinal, &str)],
        life: Duration,
        channel: &str,
        event: &str,
    ) -> Result<(), E> {
        let mut arguments = args![keys::LIST_MAX, seconds(life), channel, event];
        for &(ordinal, json) in messages {
            arguments.extend(args![ordinal.get(), json]);
        }
        self.script(scripts::APPEND, &keys::messages(conversation), arguments)
            .await
    }

    /// The newest messages of the cached list, oldest first; empty if there is no
    /// list, or none that is confirmed.
    pub async fn get_conversation_messages(
        &self,
        conversation: ConversationId,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, E> {
        let newest = -i64::try_from(limit).unwrap_or(i64::MAX);
        let page = self
            .lrange(&keys::messages(conversation), newest, -1)
            .await?;
        let unconfirmed = page.last().is_some_and(|newest| newest.starts_with(b" "));
        Ok(if unconfirmed { vec![] } else { page })
    }

    /// Fills an absent list for a short life; whether this call filled it.
    pub async fn fill_conversation_messages(
        &self,
        conversation: ConversationId,
        messages: &[String],
    ) -> Result<bool, E> {
        let mut arguments = args![millis(UNCONFIRMED)];
        arguments.extend(messages.iter().map(Argument::parameter));
        self.script(scripts::FILL, &keys::messages(conversation), arguments)
            .await
    }

    /// Confirms a list that was filled, unless it changed since; whether it is confirmed now.
    pub async fn confirm_conversation_messages(
        &self,
        conversation: ConversationId,
        newest: &str,
        life: Duration,
    ) -> Result<bool, E> {
        let arguments = args![newest, seconds(life)];
        self.script(scripts::CONFIRM, &keys::messages(conversation), arguments)
            .await
    }

    /// Forgets what the cache holds of a message that changed.
    pub async fn drop_message(&self, conversation: ConversationId, id: MessageId) -> Result<(), E> {
        let (list, single) = (keys::messages(conversation), keys::message(id));
        let (list, single) = join!(self.del(&list), self.del(&single));
        list.and(single).map(|_| ())
    }
}

fn with_key(key: &str, values: &[&[u8]]) -> Vec<RedisParameter> {
    let mut all = args![key];
    all.extend(values.iter().map(|value| value.parameter()));
    all
}

pub(super) fn millis(life: Duration) -> i64 {
    i64::try_from(life.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn seconds(life: Duration) -> i64 {
    i64::try_from(life.as_secs()).unwrap_or(i64::MAX)
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, RedisError> {
    serde_json::to_vec(value).map_err(|error| RedisError::Refused(error.to_string()))
}

fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, RedisError> {
    serde_json::from_slice(json).map_err(|error| RedisError::Refused(error.to_string()))
}
