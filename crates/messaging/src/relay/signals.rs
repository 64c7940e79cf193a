//! Signals: changes of presence and typing on their way to streams and feeds.
//!
//! They are not durable, but a relay that dies does not lose them either: a signal is removed after
//! it was delivered, and one that is delivered twice says the same twice. One relay at a time works
//! on them.

use std::time::Duration;

use futures::future::join_all;
use platform::args;
use platform::clock::Instant;
use platform::postgres::parameters::number;
use platform::postgres::{Repeat, query};
use platform::redis::{Argument, RedisError, Repeat::Safe, Repeat::Unsafe, millis};
use serde::Deserialize;

use super::deliver::WINDOW;
use crate::feeds::streams::interject;
use crate::ids::{ConversationId, UserId};
use crate::{Error, RedisService, Result, conversations, feeds, keys};

/// How many signals one pass takes.
const BATCH: usize = 200;
/// How long the lease of a relay that died keeps others from the signals.
const LEASE: Duration = Duration::from_secs(5);

/// What a relay needs of a signal; the rest is for clients.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signal {
    user_id: UserId,
    /// With typing; presence concerns all contacts of the user.
    conversation_id: Option<ConversationId>,
}

/// The most users that hear of one user's presence.
const MAX_AUDIENCE: i64 = 10_000;
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

/// Delivers signals until `deadline`, unless another relay has the lease on them.
pub(super) async fn deliver(redis: RedisService, deadline: Instant) -> Result<()> {
    while Instant::now() < deadline {
        if oldest(redis, 1).await?.is_empty() || !acquire_lease(redis).await? {
            return Ok(());
        }
        let delivered = deliver_batch(redis, deadline).await;
        redis.del(keys::signals_lease()).await?;
        delivered?;
    }
    Ok(())
}

/// Delivers signals in their order, each by itself. One that fails for a reason of its own is
/// dropped: it is for now or never.
async fn deliver_batch(redis: RedisService, deadline: Instant) -> Result<()> {
    let signals = oldest(redis, BATCH).await?;
    let mut done: Vec<&str> = Vec::new();
    let mut outage = None;
    for group in by_sender(&signals) {
        if Instant::now() >= deadline {
            break;
        }
        match deliver_group(redis, &group).await {
            Err(error @ Error::Unavailable(..)) => {
                outage = Some(error);
                break;
            }
            Err(error) => log::warn!("a signal is dropped: {error}"),
            Ok(()) => {}
        }
        done.extend(group.iter().map(|(id, _)| *id));
    }
    if !done.is_empty() {
        remove(redis, &done).await?;
    }
    outage.map_or(Ok(()), Err)
}

/// Neighbours that concern the same user and conversation have the same audience.
fn by_sender(signals: &[(String, String)]) -> Vec<Vec<(&str, &str)>> {
    let signal = |json: &str| serde_json::from_str::<Signal>(json).ok();
    signals
        .chunk_by(|(_, one), (_, next)| signal(one) == signal(next))
        .map(|group| group.iter().map(|(id, json)| (&**id, &**json)).collect())
        .collect()
}

async fn deliver_group(redis: RedisService, group: &[(&str, &str)]) -> Result<()> {
    let lines: Vec<String> = group.iter().map(|(_, json)| (*json).to_owned()).collect();
    let signal: Option<Signal> = lines
        .first()
        .and_then(|json| serde_json::from_str(json).ok());
    // What another program wrote is dropped.
    let Some(signal) = signal else {
        return Ok(());
    };
    let audience = match signal.conversation_id {
        Some(id) => {
            interject(redis, id, &lines).await?;
            participants(id).await?
        }
        None => contacts(signal.user_id).await?,
    };
    let others: Vec<UserId> = audience
        .into_iter()
        .filter(|user| *user != signal.user_id)
        .collect();
    for window in others.chunks(WINDOW) {
        let added = window
            .iter()
            .map(|user| feeds::streams::signal(redis, *user, &lines));
        let added: Result<Vec<()>, RedisError> = join_all(added).await.into_iter().collect();
        added?;
    }
    Ok(())
}

async fn participants(id: ConversationId) -> Result<Vec<UserId>> {
    match conversations::visible(id, None).await {
        Ok(found) => Ok(found.participants().to_vec()),
        Err(Error::NotFound(_)) => Ok(vec![]),
        Err(error) => Err(error),
    }
}

/// The users that share a conversation with a user and have ever been seen; the audience of presence
/// is bounded.
async fn contacts(user: UserId) -> Result<Vec<UserId>> {
    const CONTACTS: &str = "
        select distinct other.user_id
        from participants own join participants other using (conversation_id)
        where own.user_id = $1 and other.user_id <> $1 and other.seen
        limit $2";
    let parameters = vec![number(user.get()), number(MAX_AUDIENCE)];
    let rows = query(Repeat::Safe, CONTACTS, parameters).await?;
    rows.into_iter().map(|mut row| Ok(row.take()?)).collect()
}
