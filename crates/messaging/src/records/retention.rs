//! Retention.

use futures::FutureExt;
use std::time::Duration;

use platform::clock::Instant;
use platform::config;
use platform::postgres::parameters::number;
use platform::postgres::{Repeat, query, query_one};
use platform::redis::RedisError;
use serde::Serialize;

use super::Actor;
use crate::cache;
use crate::cache::share::{self, Step};
use crate::ids::{ConversationId, MessageId, Seq};
use crate::messages::list_cache;
use crate::{Error, RedisService, Result};

/// How many messages one step erases at the most.
const STEP: i64 = 200;
/// How long the version of a dropped message is kept, if the operator's setting is unreadable.
const VERSION_TTL: Duration = Duration::from_secs(3600);
/// How long the relay spends on it at once.
const BUDGET: Duration = Duration::from_millis(500);
/// How many messages that wait are counted at the most.
const COUNTED: i64 = 100_000;

/// What a step of retention did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Retained {
    /// How many messages it erased.
    pub erased: usize,
    /// How many are left that are older than their policy allows; more than 100,000 are not counted.
    pub remaining: i64,
}

/// Erases some of the messages that are older than their policies allow.
pub async fn retain(actor: &Actor) -> Result<Retained> {
    const DUE: &str = "select count_due($1::bigint::integer, $2::bigint::integer)";
    let days = default_days().await?;
    let mut erased = 0;
    // A step ends where the pass over all conversations does, and the next one begins anew.
    for _ in 0..2 {
        erased += step(days, actor).await?;
        if erased > 0 {
            break;
        }
    }
    let row = query_one(Repeat::Safe, DUE, vec![number(days), number(COUNTED)]).await?;
    let remaining = row.map_or(Ok(0), |mut row| row.take())?;
    Ok(Retained { erased, remaining })
}

/// A step for which the relay has time, unless another host took one shortly before.
pub async fn retain_in_passing() -> Result<()> {
    const CLAIM: &str = "
        update retention_progress p set next_at = clock_timestamp() + interval '10 seconds'
        where p.next_at < clock_timestamp() returning 1::bigint";
    if query_one(Repeat::Safe, CLAIM, vec![]).await?.is_none() {
        return Ok(());
    }
    let (days, start, mut erased) = (default_days().await?, Instant::now(), 0);
    loop {
        let count = step(days, &Actor::system()).await?;
        erased += count;
        if count < STEP as usize || start.elapsed() > BUDGET {
            break;
        }
    }
    if erased > 0 {
        log::info!("retention erased {erased} messages");
    }
    Ok(())
}

/// The operator's `retention_days`; 0 is for ever.
async fn default_days() -> Result<i64> {
    i64::try_from(config::number("retention_days").await?)
        .ok()
        .filter(|days| *days <= MAX_DAYS)
        .ok_or_else(|| Error::internal("variable retention_days is no number of days"))
}

/// The longest retention, in days: a hundred years.
pub const MAX_DAYS: i64 = 36_500;

async fn step(days: i64, actor: &Actor) -> Result<usize> {
    const RETAIN: &str = "
        select r.conversation_id, r.message_id, r.seq
        from retain($1::bigint::integer, $2::bigint::integer, $3::text, $4::text) r";
    let [name, request] = actor.parameters();
    let rows = query(
        Repeat::Safe,
        RETAIN,
        vec![number(days), number(STEP), name, request],
    )
    .await?;
    let mut erased = Vec::with_capacity(rows.len());
    for mut row in rows {
        erased.push((row.take()?, row.take()?, row.take()?));
    }
    let count = erased.len();
    share_erased(erased).await;
    Ok(count)
}

/// Drops what the cache holds of erased messages, and wakes the relay, which delivers their events.
async fn share_erased(erased: Vec<(ConversationId, MessageId, Seq)>) {
    if erased.is_empty() {
        return;
    }
    share::share(move |redis| steps(redis, &erased)).await;
}

async fn drop_message(redis: RedisService, id: MessageId, seq: Seq) -> Result<(), RedisError> {
    let epoch = cache::epoch().await?;
    let ttl = cache::message_ttl().await.unwrap_or(VERSION_TTL);
    list_cache::drop_message(redis, &epoch, id, seq.get(), ttl).await
}

fn steps(redis: RedisService, erased: &[(ConversationId, MessageId, Seq)]) -> Vec<Step<'static>> {
    let mut lists: Vec<ConversationId> = erased
        .iter()
        .map(|(conversation, ..)| *conversation)
        .collect();
    lists.dedup();
    let lists = lists
        .into_iter()
        .map(|conversation| list_cache::drop_list(redis, conversation).boxed_local());
    let messages = erased
        .iter()
        .map(|&(_, message, seq)| drop_message(redis, message, seq).boxed_local());
    lists.chain(messages).collect()
}
