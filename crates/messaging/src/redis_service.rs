//! `RedisService`: the typed Redis layer of the specification, which every component uses.
//!
//! Every method is one command on one key, or several that go out together in one round trip. What
//! belongs to one area only lives in that area and runs through [`RedisClient::command`] and
//! [`RedisClient::script`].

use std::ops::Deref;
use std::time::Duration;

use platform::args;
use platform::redis::{
    Argument, RedisClient, RedisError, RedisParameter, Repeat::Safe, Repeat::Unsafe, millis,
    unexpected,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::Epoch;
use crate::content::DeviceId;
use crate::ids::{ConversationId, Ordinal, UserId};
use crate::{messages, presence, typing};

type Result<T, E = RedisError> = std::result::Result<T, E>;

/// The instance's Redis, as critical as it is to the request at hand.
#[derive(Debug, Clone, Copy)]
pub struct RedisService(RedisClient);

impl Deref for RedisService {
    type Target = RedisClient;

    fn deref(&self) -> &RedisClient {
        &self.0
    }
}

impl RedisService {
    /// For requests that can do without Redis.
    #[must_use]
    pub const fn optional() -> Self {
        Self(RedisClient::optional())
    }

    /// For requests about what only Redis holds.
    #[must_use]
    pub const fn required() -> Self {
        Self(RedisClient::required())
    }

    // Strings and their TTLs.

    /// The value of a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.command(Safe, "GET", args![key]).await
    }

    /// Sets a key, with a TTL or without end.
    pub async fn set(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        let mut all = args![key, value];
        if let Some(ttl) = ttl {
            all.extend(args!["PX", millis(ttl)]);
        }
        self.command(Safe, "SET", all).await
    }

    /// Deletes a key; whether it was there.
    pub async fn del(&self, key: &str) -> Result<bool> {
        self.command(Safe, "DEL", args![key]).await
    }

    /// Gives a key a TTL; whether it was there.
    pub async fn expire(&self, key: &str, ttl: Duration) -> Result<bool> {
        self.command(Safe, "PEXPIRE", args![key, millis(ttl)]).await
    }

    /// A key's TTL; `None` if it is absent or has none.
    pub async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        let ttl: i64 = self.command(Safe, "PTTL", args![key]).await?;
        Ok(u64::try_from(ttl).ok().map(Duration::from_millis))
    }

    /// The time of the server, in Unix milliseconds.
    pub async fn time(&self) -> Result<i64> {
        let time: Vec<Vec<u8>> = self.command(Safe, "TIME", vec![]).await?;
        let number = |at: usize| str::from_utf8(time.get(at)?).ok()?.parse::<i64>().ok();
        let time = number(0).zip(number(1));
        let time = time.map(|(seconds, micros)| seconds * 1000 + micros / 1000);
        time.ok_or_else(|| unexpected("a time"))
    }

    // Hashes.

    /// Sets a field; whether it is new.
    pub async fn hset(&self, key: &str, field: &str, value: &[u8]) -> Result<bool> {
        self.command(Safe, "HSET", args![key, field, value]).await
    }

    /// A field's value.
    pub async fn hget(&self, key: &str, field: &str) -> Result<Option<Vec<u8>>> {
        self.command(Safe, "HGET", args![key, field]).await
    }

    /// All fields with their values.
    pub async fn hgetall(&self, key: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.command(Safe, "HGETALL", args![key]).await
    }

    /// Sets several fields.
    pub async fn hmset(&self, key: &str, fields: &[(&str, &[u8])]) -> Result<()> {
        let mut all = args![key];
        for (field, value) in fields {
            all.extend(args![*field, *value]);
        }
        self.command(Safe, "HSET", all).await
    }

    // Lists.

    /// Puts values before a list, one after the other; its new length.
    pub async fn lpush(&self, key: &str, values: &[&[u8]]) -> Result<i64> {
        self.command(Unsafe, "LPUSH", with_key(key, values)).await
    }

    /// Puts values behind a list; its new length.
    pub async fn rpush(&self, key: &str, values: &[&[u8]]) -> Result<i64> {
        self.command(Unsafe, "RPUSH", with_key(key, values)).await
    }

    /// The values from `start` to `stop`, both included; negative counts from the end.
    pub async fn lrange(&self, key: &str, start: i64, stop: i64) -> Result<Vec<Vec<u8>>> {
        self.command(Safe, "LRANGE", args![key, start, stop]).await
    }

    /// Keeps only the values from `start` to `stop`. Unsafe to repeat: between two runs the list
    /// may have grown.
    pub async fn ltrim(&self, key: &str, start: i64, stop: i64) -> Result<()> {
        self.command(Unsafe, "LTRIM", args![key, start, stop]).await
    }

    // Sets.

    /// Adds a member; whether it is new.
    pub async fn sadd(&self, key: &str, member: impl Argument) -> Result<bool> {
        self.command(Safe, "SADD", args![key, member]).await
    }

    /// All members.
    pub async fn smembers(&self, key: &str) -> Result<Vec<String>> {
        self.command(Safe, "SMEMBERS", args![key]).await
    }

    /// Removes a member; whether it was there.
    pub async fn srem(&self, key: &str, member: impl Argument) -> Result<bool> {
        self.command(Safe, "SREM", args![key, member]).await
    }

    // Sorted sets.

    /// Gives a member a score; whether it is new.
    pub async fn zadd(&self, key: &str, member: impl Argument, score: f64) -> Result<bool> {
        self.command(Safe, "ZADD", args![key, score, member]).await
    }

    /// The members by rank, lowest score first.
    pub async fn zrange(&self, key: &str, start: i64, stop: i64) -> Result<Vec<String>> {
        self.command(Safe, "ZRANGE", args![key, start, stop]).await
    }

    /// The members by rank with their scores.
    pub async fn zrange_withscores(
        &self,
        key: &str,
        start: i64,
        stop: i64,
    ) -> Result<Vec<(String, f64)>> {
        let arguments = args![key, start, stop, "WITHSCORES"];
        self.command(Safe, "ZRANGE", arguments).await
    }

    /// The members with a score in a range; bounds as Redis writes them (`5`, `(5`, `+inf`).
    pub async fn zrangebyscore(&self, key: &str, min: &str, max: &str) -> Result<Vec<String>> {
        self.command(Safe, "ZRANGEBYSCORE", args![key, min, max])
            .await
    }

    /// The members with a score in a range, with their scores.
    pub async fn zrangebyscore_withscores(
        &self,
        key: &str,
        min: &str,
        max: &str,
    ) -> Result<Vec<(String, f64)>> {
        let arguments = args![key, min, max, "WITHSCORES"];
        self.command(Safe, "ZRANGEBYSCORE", arguments).await
    }

    // Channels.

    /// Publishes to a channel; how many received it on this node. At least once: a subscriber may
    /// get it twice when the connection is lost before the reply.
    pub async fn publish(&self, channel: &str, payload: &[u8]) -> Result<i64> {
        self.command(Safe, "PUBLISH", args![channel, payload]).await
    }

    // JSON.

    /// Sets a key to a value as JSON.
    pub async fn set_json<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        ttl: Option<Duration>,
    ) -> Result<()> {
        self.set(key, &to_json(value)?, ttl).await
    }

    /// A key's value read from JSON.
    pub async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let json = self.get(key).await?;
        json.map(|json| from_json(&json)).transpose()
    }

    /// Takes a key's value, read from JSON, away.
    pub async fn take_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let json: Option<Vec<u8>> = self.command(Unsafe, "GETDEL", args![key]).await?;
        json.map(|json| from_json(&json)).transpose()
    }

    /// Sets a field to a value as JSON; whether it is new.
    pub async fn hset_json<T: Serialize>(&self, key: &str, field: &str, value: &T) -> Result<bool> {
        self.hset(key, field, &to_json(value)?).await
    }

    /// A field's value read from JSON.
    pub async fn hget_json<T: DeserializeOwned>(
        &self,
        key: &str,
        field: &str,
    ) -> Result<Option<T>> {
        let json = self.hget(key, field).await?;
        json.map(|json| from_json(&json)).transpose()
    }

    // Messages, presence and typing, each by its area.

    /// Adds a committed message to the cached list, if that is exact but for it.
    pub async fn add_message_to_conversation(
        &self,
        epoch: &Epoch,
        conversation: ConversationId,
        message: (Ordinal, &str),
        ttl: Duration,
    ) -> Result<()> {
        let message = [message];
        messages::list_cache::append(*self, epoch, conversation, &message, ("", ""), ttl).await
    }

    /// The newest messages of the cached list, oldest first; empty if there is no exact list.
    pub async fn get_conversation_messages(
        &self,
        epoch: &Epoch,
        conversation: ConversationId,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>> {
        messages::list_cache::newest(*self, epoch, conversation, limit).await
    }

    /// A heartbeat: the user is online for `ttl` from now on; whether they were offline.
    pub async fn set_user_online(&self, user: UserId, ttl: Duration) -> Result<bool> {
        presence::set_online(*self, user, &DeviceId::unnamed(), ttl).await
    }

    /// The user is offline from now on, on all devices; whether they were online.
    pub async fn set_user_offline(&self, user: UserId) -> Result<bool> {
        presence::set_offline(*self, user).await
    }

    /// The user types, for `ttl` from now on, or does not any more; whether that is a change.
    pub async fn set_typing_indicator(
        &self,
        conversation: ConversationId,
        user: UserId,
        ttl: Option<Duration>,
    ) -> Result<bool> {
        typing::set_indicator(*self, conversation, user, ttl).await
    }

    /// The users that type in a conversation, in the order of their ids.
    pub async fn get_typing_users(&self, conversation: ConversationId) -> Result<Vec<UserId>> {
        typing::typing_users(*self, conversation).await
    }
}

fn with_key(key: &str, values: &[&[u8]]) -> Vec<RedisParameter> {
    let mut all = args![key];
    all.extend(values.iter().map(|value| value.parameter()));
    all
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| RedisError::Refused(error.to_string()))
}

fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| RedisError::Refused(error.to_string()))
}
