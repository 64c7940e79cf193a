//! Signals: changes of presence and typing on their way to streams and feeds.
//!
//! They are not durable, but they are not lost by a relay that dies either:
//! a signal is removed after it was passed on, and one that is passed on twice
//! says the same twice. One relay at a time works on them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::join;
use serde::Deserialize;

use crate::ids::{ConversationId, UserId};
use platform::args;
use platform::postgres::parameters::numbers;
use platform::postgres::{Repeat, query};
use platform::redis::{Argument, RedisError, Repeat::Safe, Repeat::Unsafe, millis};

use crate::feeds::streams::{append_to_feed, interject};
use crate::{Error, RedisService, Result, conversations, keys};

/// How many signals one pass takes.
const BATCH: usize = 200;
/// How long a relay that died keeps others from the signals.
const LEASE: Duration = Duration::from_secs(5);

/// What a relay needs of a signal; the rest is for clients.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signal {
    user_id: UserId,
    /// With typing; presence concerns everybody who knows the user.
    conversation_id: Option<ConversationId>,
}

/// About how many signals wait at the most.
const MAX_WAITING: i64 = 10_000;

/// Adds a signal for the relay. `json` is the event's payload, with `userId`, and `conversationId`
/// for typing.
pub async fn add(redis: RedisService, json: &str) -> Result<(), RedisError> {
    let key = keys::signals();
    let arguments = args![key, "MAXLEN", "~", MAX_WAITING, "*", "event", json];
    redis.command(Unsafe, "XADD", arguments).await
}

/// The oldest signals, with their ids.
async fn oldest(redis: RedisService, most: usize) -> Result<Vec<(String, String)>, RedisError> {
    // The host flattens the reply: id, "event", value, id, …
    let arguments = args![keys::signals(), "-", "+", "COUNT", most];
    let flat: Vec<String> = redis.command(Safe, "XRANGE", arguments).await?;
    Ok(flat
        .chunks_exact(3)
        .map(|entry| (entry[0].clone(), entry[2].clone()))
        .collect())
}

async fn remove(redis: RedisService, ids: &[&str]) -> Result<(), RedisError> {
    let mut arguments = args![keys::signals()];
    arguments.extend(ids.iter().map(|id| id.parameter()));
    redis.command(Safe, "XDEL", arguments).await
}

/// Takes the lease on the signals; whether no other relay had it.
async fn acquire_lease(redis: RedisService) -> Result<bool, RedisError> {
    let arguments = args![keys::signals_lease(), "1", "NX", "PX", millis(LEASE)];
    redis.command(Unsafe, "SET", arguments).await
}

/// Passes on all signals, unless another relay is at it.
pub(super) async fn pass_on(redis: RedisService) -> Result<()> {
    while !oldest(redis, 1).await?.is_empty() && acquire_lease(redis).await? {
        let passed = pass_on_batch(redis).await;
        redis.del(keys::signals_lease()).await?;
        passed?;
    }
    Ok(())
}

async fn pass_on_batch(redis: RedisService) -> Result<()> {
    let signals = oldest(redis, BATCH).await?;
    deliver(redis, &signals).await?;
    let ids: Vec<&str> = signals.iter().map(|(id, _)| id.as_str()).collect();
    if !ids.is_empty() {
        remove(redis, &ids).await?;
    }
    Ok(())
}

async fn deliver(redis: RedisService, signals: &[(String, String)]) -> Result<()> {
    let mut streams: BTreeMap<ConversationId, Vec<String>> = BTreeMap::new();
    let mut feeds: BTreeMap<UserId, Vec<String>> = BTreeMap::new();
    let parsed = signals
        .iter()
        .filter_map(|(_, json)| Some((serde_json::from_str(json).ok()?, json)));
    let parsed: Vec<(Signal, &String)> = parsed.collect();
    let present = parsed
        .iter()
        .filter(|(signal, _)| signal.conversation_id.is_none());
    let contacts = contacts(present.map(|(signal, _)| signal.user_id)).await?;
    for (signal, json) in parsed {
        let audience = match signal.conversation_id {
            Some(id) => {
                streams.entry(id).or_default().push(json.clone());
                participants(id).await?
            }
            None => contacts.get(&signal.user_id).cloned().unwrap_or_default(),
        };
        for user in audience.into_iter().filter(|user| *user != signal.user_id) {
            feeds.entry(user).or_default().push(json.clone());
        }
    }
    send(redis, streams, feeds).await
}

async fn send(
    redis: RedisService,
    streams: BTreeMap<ConversationId, Vec<String>>,
    feeds: BTreeMap<UserId, Vec<String>>,
) -> Result<()> {
    let streams = streams
        .iter()
        .map(|(id, lines)| interject(redis, *id, lines));
    let feeds = feeds
        .iter()
        .map(|(user, lines)| append_to_feed(redis, *user, lines));
    let (streams, feeds) = join!(
        futures::future::try_join_all(streams),
        futures::future::try_join_all(feeds)
    );
    streams.and(feeds)?;
    Ok(())
}

async fn participants(id: ConversationId) -> Result<Vec<UserId>> {
    match conversations::visible(id, None).await {
        Ok(found) => Ok(found.participants().to_vec()),
        Err(Error::NotFound(_)) => Ok(vec![]),
        Err(error) => Err(error),
    }
}

/// Everybody with whom each user shares a conversation.
async fn contacts(users: impl Iterator<Item = UserId>) -> Result<BTreeMap<UserId, Vec<UserId>>> {
    const CONTACTS: &str = "
        select u.id, array(
            select distinct other.user_id
            from participants own join participants other using (conversation_id)
            where own.user_id = u.id and other.user_id <> u.id)
        from unnest($1::bigint[]) as u (id)";
    let users: BTreeSet<i64> = users.map(UserId::get).collect();
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let parameters = vec![numbers(users)];
    let rows = query(Repeat::Safe, CONTACTS, parameters).await?;
    rows.into_iter()
        .map(|mut row| {
            let (user, others): (UserId, Vec<i64>) = (row.take()?, row.take()?);
            Ok((
                user,
                others
                    .into_iter()
                    .filter_map(|id| UserId::try_from(id).ok())
                    .collect(),
            ))
        })
        .collect()
}
