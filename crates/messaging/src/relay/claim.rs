//! Which conversations this drain works on, what there is to deliver, and how far it came.
//!
//! The relay's progress is a table of its own, and posters hold the conversation's row: so neither
//! side waits for the other. The row follows when it is free.
//!
//! Claims and progress do not wait for the disk: a server that crashes and forgets the last of them has
//! the same events claimed and delivered again.

use std::time::Duration;

use platform::postgres::parameters::{number, numbers, optional_numbers};
use platform::postgres::{Repeat, Row, query};
use platform::redis::seconds;

use crate::Result;
use crate::events::{self, Event};
use crate::ids::{ConversationId, Ordinal, UserId, WebhookId};

/// How many conversations one claim takes.
const CONVERSATIONS: usize = 128;
/// How long a claim is this drain's.
pub const LEASE: Duration = Duration::from_secs(10);
/// How many events of one conversation one claim delivers.
const EVENTS: usize = 50;

/// A conversation that is this drain's until the lease expires.
#[derive(Debug)]
pub struct Claimed {
    pub conversation: ConversationId,
    relayed_seq: i64,
    /// When the lease expires, in microseconds of Unix time: also its token.
    lease: i64,
}

/// What there is to deliver for one conversation, at one moment.
#[derive(Debug)]
pub struct Batch {
    pub conversation: ConversationId,
    /// In order, without a gap.
    pub events: Vec<Event>,
    /// The newest message among the events of new messages.
    pub newest_message: Option<Ordinal>,
    /// Every participant who has ever been seen, with their unread count.
    pub unread: Vec<(UserId, i64)>,
    /// The participants who have never been seen.
    pub unseen: Vec<UserId>,
    /// Who did not take part at the end of the batch, and joined after it: the participants above are
    /// those of now, and a batch may end before.
    pub joined_later: Vec<UserId>,
    /// Who took part at the end of the batch, and left after it.
    pub left_later: Vec<UserId>,
}

/// Claims conversations by a lease. One whose delivery failed is left out until its backoff is over.
pub async fn claim() -> Result<Vec<Claimed>> {
    const CLAIM: &str = "
        with pending as (
            select c.id, greatest(c.relayed_seq, r.relayed_seq) as relayed_seq
            from conversations c left join relay_progress r on r.conversation_id = c.id
            where (select set_config('synchronous_commit', 'off', true)) = 'off'
                and c.unrelayed and (r.lease_until is null or r.lease_until < now())
                and (r.retry_at is null or r.retry_at <= now())
            order by c.id limit $1
        )
        insert into relay_progress as r (conversation_id, relayed_seq, lease_until)
        select id, relayed_seq, clock_timestamp() + $2::bigint * interval '1 second' from pending
        on conflict on constraint relay_progress_pkey do update
        set lease_until = excluded.lease_until,
            relayed_seq = greatest(r.relayed_seq, excluded.relayed_seq)
        where r.lease_until is null or r.lease_until < now()
        returning r.conversation_id, r.relayed_seq,
            (extract(epoch from r.lease_until) * 1000000)::bigint";
    let limits = vec![number(CONVERSATIONS as i64), number(seconds(LEASE))];
    let rows = query(Repeat::Safe, CLAIM, limits).await?;
    rows.into_iter().map(claimed).collect()
}

fn claimed(mut row: Row) -> Result<Claimed> {
    Ok(Claimed {
        conversation: row.take()?,
        relayed_seq: row.take()?,
        lease: row.take()?,
    })
}

/// Reads the events and unread counts of what was claimed, in one statement; and the conversations
/// of which this version of the relay cannot read an event.
pub async fn read(claimed: &[Claimed]) -> Result<(Vec<Batch>, Vec<ConversationId>)> {
    const READ: &str = "
        select c.id, e.seqs, e.types, e.messages, e.users, e.newest, u.users, u.counts, u.unseen,
            l.joined, l.went
        from unnest($1::bigint[], $2::bigint[]) as c (id, relayed_seq)
        cross join lateral (
            select array_agg(e.seq order by e.seq) as seqs,
                array_agg(e.type::text order by e.seq) as types,
                array_agg(e.message_id order by e.seq) as messages,
                array_agg(e.user_id order by e.seq) as users,
                (select max(m.ordinal) from messages m where m.id = any (
                    array_agg(e.message_id) filter (where e.type = 'new-message'))) as newest
            from (
                select e.seq, e.type, e.user_id, e.message_id from events e
                where e.conversation_id = c.id and e.seq > c.relayed_seq
                order by e.seq limit $3::bigint
            ) e
        ) e
        cross join lateral (
            select coalesce(array_agg(p.user_id) filter (where p.seen), '{}') as users,
                coalesce(array_agg(u.count) filter (where p.seen), '{}') as counts,
                coalesce(array_agg(p.user_id) filter (where not p.seen), '{}') as unseen
            from participants p join unread u using (conversation_id, user_id)
            where p.conversation_id = c.id
        ) u
        cross join lateral (
            select coalesce(array_agg(l.user_id) filter (where l.type = 'participant-joined'), '{}') as joined,
                coalesce(array_agg(l.user_id) filter (where l.type = 'participant-left'), '{}') as went
            from (
                select distinct on (l.user_id) l.user_id, l.type from events l
                where l.conversation_id = c.id and l.seq > e.seqs[cardinality(e.seqs)]
                    and l.type in ('participant-joined', 'participant-left')
                order by l.user_id, l.seq
            ) l
        ) l
        where e.seqs is not null";
    let ids = numbers(claimed.iter().map(|c| c.conversation.get()));
    let seqs = numbers(claimed.iter().map(|c| c.relayed_seq));
    let rows = query(Repeat::Safe, READ, vec![ids, seqs, number(EVENTS as i64)]).await?;
    let (mut batches, mut unreadable) = (Vec::new(), Vec::new());
    for mut row in rows {
        let conversation = row.take()?;
        match batch(conversation, row) {
            Ok(batch) => batches.push(batch),
            Err(error) => {
                log::warn!("conversation {conversation} is not delivered: {error}");
                unreadable.push(conversation);
            }
        }
    }
    Ok((batches, unreadable))
}

fn batch(conversation: ConversationId, mut row: Row) -> Result<Batch> {
    let events = events::from_columns(conversation, &mut row)?;
    let newest_message = row.take()?;
    let (users, counts): (Vec<i64>, Vec<i64>) = (row.take()?, row.take()?);
    let unseen: Vec<i64> = row.take()?;
    let (joined_later, left_later): (Vec<i64>, Vec<i64>) = (row.take()?, row.take()?);
    Ok(Batch {
        conversation,
        events,
        newest_message,
        unread: user_ids(users).zip(counts).collect(),
        unseen: user_ids(unseen).collect(),
        joined_later: user_ids(joined_later).collect(),
        left_later: user_ids(left_later).collect(),
    })
}

/// Users by their ids.
pub fn user_ids(ids: Vec<i64>) -> impl Iterator<Item = UserId> {
    ids.into_iter().filter_map(|id| UserId::try_from(id).ok())
}

/// Whether these were all the events that waited, by how many there are.
pub fn is_all(batches: &[Batch]) -> bool {
    batches.len() < CONVERSATIONS && batches.iter().all(|batch| batch.events.len() < EVENTS)
}

/// What became of a conversation that was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Its events up to this seq were delivered.
    Delivered(i64),
    /// Delivery failed for a reason of its own.
    Failed,
    /// It was not tried, or Redis was away.
    Untouched,
}

/// What is due besides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// The live figures in Redis are counted again.
    pub figures: bool,
    /// Receivers outside of the service that have something to get, and no worker.
    pub webhooks: Vec<WebhookId>,
    /// Whether Redis lost what it had: then the figures are counted, whenever they were last.
    pub is_lost: bool,
}

/// Records how far each conversation came and ends the leases. A lease that expired in between may
/// be another relay's by now: then that one delivers the same events once more.
pub async fn finish(
    claimed: &[Claimed],
    progress: impl Fn(ConversationId) -> Progress,
) -> Result<Due> {
    const FINISH: &str = "select work, subject from finish_relay_and_queue($1, $2, $3, $4, $5)";
    // Without a number of failures those before still count.
    let results: Vec<(i64, Option<i64>)> = claimed
        .iter()
        .map(|claim| match progress(claim.conversation) {
            Progress::Delivered(seq) => (seq.max(claim.relayed_seq), Some(0)),
            Progress::Failed => (claim.relayed_seq, Some(1)),
            Progress::Untouched => (claim.relayed_seq, None),
        })
        .collect();
    let parameters = vec![
        numbers(claimed.iter().map(|claim| claim.conversation.get())),
        numbers(claimed.iter().map(|claim| claim.relayed_seq)),
        numbers(results.iter().map(|(seq, _)| *seq)),
        numbers(claimed.iter().map(|claim| claim.lease)),
        optional_numbers(results.iter().map(|(_, failures)| *failures)),
    ];
    let mut due = Due::default();
    for mut row in query(Repeat::Safe, FINISH, parameters).await? {
        let work: String = row.take()?;
        match &*work {
            "figures" => due.figures = true,
            "webhook" => due.webhooks.push(row.take()?),
            // Of a newer version's function.
            _ => {}
        }
    }
    Ok(due)
}
