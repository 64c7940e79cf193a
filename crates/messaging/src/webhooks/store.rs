//! What workers read and write in PostgreSQL.

use std::collections::BTreeMap;
use std::time::Duration;

use platform::postgres::parameters::{
    number, numbers, optional_numbers, optional_texts, text, texts,
};
use platform::postgres::{Repeat, Row, query, query_one};
use platform::redis::millis;

use super::event::Queued;
use super::{Schedule, Secret};
use crate::Result;
use crate::ids::{ConversationId, Seq, WebhookId};
use crate::sealing::{self, Keys};

/// How long a worker has a receiver without a sign that it is alive.
pub const LEASE: Duration = Duration::from_secs(30);
/// How many events of one conversation a worker sends one after the other.
const EVENTS: i64 = 8;

/// A receiver that is this worker's until the lease expires.
pub struct Claimed {
    pub id: WebhookId,
    /// When the lease expires, in microseconds of Unix time: also its token.
    pub lease: i64,
    pub url: String,
    pub contents: bool,
    /// What requests are signed with, the newest first.
    pub secrets: Vec<Secret>,
    /// Whether nothing could be delivered of late.
    pub is_failing: bool,
}

/// Claims a receiver by a lease; `None` if it has nothing to get, or another worker.
pub async fn claim(id: WebhookId) -> Result<Option<Claimed>> {
    const CLAIM: &str = "
        update webhooks w set lease_until = clock_timestamp() + $2::bigint * interval '1 millisecond'
        where w.id = $1 and w.disabled_at is null and w.due_at <= clock_timestamp()
            and (w.lease_until is null or w.lease_until < clock_timestamp())
        returning (extract(epoch from w.lease_until) * 1000000)::bigint, w.url, w.contents, w.failures > 0,
            encode(w.secret, 'hex'), encode(case when w.previous_until > now() then w.previous_secret end, 'hex')";
    // A second run finds the lease of the first: the receiver then waits until that has expired.
    let parameters = vec![number(id.get()), number(millis(LEASE))];
    let row = query_one(Repeat::Safe, CLAIM, parameters).await?;
    row.map(|row| claimed(id, row)).transpose()
}

fn claimed(id: WebhookId, mut row: Row) -> Result<Claimed> {
    let (lease, url) = (row.take()?, row.take()?);
    let (contents, is_failing) = (row.take()?, row.take()?);
    let (secret, previous): (String, Option<String>) = (row.take()?, row.take()?);
    let secrets = [Some(secret), previous].into_iter().flatten();
    Ok(Claimed {
        id,
        lease,
        url,
        contents,
        secrets: secrets.map(|hex| Secret::of_row(bytes_of(&hex))).collect(),
        is_failing,
    })
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    digits.filter_map(byte).collect()
}

/// What is to be sent in one conversation, in this order.
pub type Lane = Vec<Queued>;

/// Renews the lease and reads what is due in up to `room` conversations but for those that are `busy`;
/// `None` if the lease is another worker's by now.
pub async fn next(
    receiver: &mut Claimed,
    busy: impl IntoIterator<Item = ConversationId>,
    room: usize,
) -> Result<Option<Vec<Lane>>> {
    const NEXT: &str = "
        with renewed as (
            update webhooks w set lease_until = clock_timestamp() + $3::bigint * interval '1 millisecond'
            where w.id = $1 and w.lease_until = timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
            returning (extract(epoch from w.lease_until) * 1000000)::bigint as lease
        )
        select r.lease, d.conversation_id, d.seq, d.attempts::bigint, d.type::text, rfc3339(d.created_at),
            message_json(m), d.user_id
        from renewed r
        left join lateral (
            select d.* from (
                select h.conversation_id, h.seq from webhook_deliveries h
                where h.webhook_id = $1 and h.next_at <= clock_timestamp()
                    and h.conversation_id <> all ($4::bigint[])
                order by h.attempts > 0, h.next_at limit $5::bigint
            ) h
            cross join lateral (
                select d.* from webhook_deliveries d
                where d.webhook_id = $1 and d.conversation_id = h.conversation_id and d.seq >= h.seq
                    and d.state in ('pending', 'failed')
                order by d.seq limit $6::bigint
            ) d
        ) d on true
        left join messages m on m.id = d.message_id
        order by d.conversation_id, d.seq";
    let parameters = vec![
        number(receiver.id.get()),
        number(receiver.lease),
        number(millis(LEASE)),
        numbers(busy.into_iter().map(ConversationId::get)),
        number(room as i64),
        number(EVENTS),
    ];
    let keys = sealing::keys().await?;
    // A second run finds another lease than the first was given, and so none.
    let rows = query(Repeat::Unsafe, NEXT, parameters).await?;
    let is_ours = !rows.is_empty();
    let mut lanes: BTreeMap<ConversationId, Lane> = BTreeMap::new();
    for mut row in rows {
        receiver.lease = row.take()?;
        let conversation: Option<ConversationId> = row.take()?;
        if let Some(conversation) = conversation {
            let (lane, event) = (
                lanes.entry(conversation).or_default(),
                queued(conversation, row, &keys)?,
            );
            // With two heads, events of one conversation are found twice.
            if lane.last().is_none_or(|last: &Queued| last.seq < event.seq) {
                lane.push(event);
            }
        }
    }
    Ok(is_ours.then(|| lanes.into_values().collect()))
}

fn queued(conversation: ConversationId, mut row: Row, keys: &Keys) -> Result<Queued> {
    Ok(Queued {
        conversation,
        seq: row.take()?,
        attempts: row.take()?,
        event_type: row.take()?,
        timestamp: row.take()?,
        message: row.take::<Option<String>>()?.map(|json| keys.open(json)),
        user: row.take()?,
    })
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub conversation: ConversationId,
    pub seq: Seq,
    /// How often it had been tried before.
    pub before: i64,
    pub status: Option<u16>,
    /// Why it failed; `None` if the receiver has it.
    pub error: Option<String>,
}

/// A delivery that failed for the last time, and why.
pub type Dead = (ConversationId, Seq, Option<String>);

/// Records what came of attempts; those that are dead now.
pub async fn settle(
    receiver: WebhookId,
    attempts: &[Attempt],
    schedule: &Schedule,
) -> Result<Vec<Dead>> {
    const SETTLE: &str = "
        select conversation_id, seq, error from settle_deliveries($1, $2, $3, $4, $5, $6, $7, $8)";
    let outcome = |attempt: &Attempt| match attempt.error {
        Some(_) => "failed".to_owned(),
        None => "delivered".to_owned(),
    };
    let parameters = vec![
        number(receiver.get()),
        numbers(attempts.iter().map(|attempt| attempt.conversation.get())),
        numbers(attempts.iter().map(|attempt| attempt.seq.get())),
        numbers(attempts.iter().map(|attempt| attempt.before)),
        texts(attempts.iter().map(outcome)),
        optional_numbers(attempts.iter().map(|attempt| attempt.status.map(i64::from))),
        optional_texts(attempts.iter().map(|attempt| attempt.error.clone())),
        schedule.parameter(),
    ];
    let rows = query(Repeat::Safe, SETTLE, parameters).await?;
    let dead = |mut row: Row| Ok((row.take()?, row.take()?, row.take()?));
    rows.into_iter().map(dead).collect()
}

/// How a worker leaves a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing more is due.
    Served,
    /// Nothing can be delivered to it.
    Failing,
    /// It has gone.
    Gone,
}

/// What there is after a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    Nothing,
    /// Something after a time.
    After(Duration),
    /// The lease was over: another worker knows.
    Unknown,
}

/// Ends the lease.
pub async fn finish(receiver: &Claimed, outcome: Outcome, schedule: &Schedule) -> Result<Rest> {
    const FINISH: &str = "select finish_webhook($1, $2, $3, $4)";
    let name = match outcome {
        Outcome::Served => "served",
        Outcome::Failing => "failing",
        Outcome::Gone => "gone",
    };
    let parameters = vec![
        number(receiver.id.get()),
        number(receiver.lease),
        text(name.into()),
        schedule.parameter(),
    ];
    let row = query_one(Repeat::Safe, FINISH, parameters).await?;
    let after: Option<i64> = match row {
        Some(mut row) => row.take()?,
        None => None,
    };
    Ok(match after.map(u64::try_from) {
        None => Rest::Nothing,
        Some(Ok(after)) => Rest::After(Duration::from_millis(after)),
        Some(Err(_)) => Rest::Unknown,
    })
}

/// Leaves a receiver alone for a time: workers die of it.
pub async fn set_aside(id: WebhookId) -> Result<()> {
    const ASIDE: &str = "
        update webhooks w
        set lease_until = null, retry_at = now() + interval '10 minutes', due_at = now() + interval '10 minutes'
        where w.id = $1";
    query(Repeat::Safe, ASIDE, vec![number(id.get())]).await?;
    Ok(())
}
