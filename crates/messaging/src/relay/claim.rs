//! Which conversations this drain works on, what there is to pass on, and how
//! far it came.

use crate::Result;
use crate::events::{self, Event};
use crate::ids::{ConversationId, UserId};
use platform::postgres::parameters::{number, numbers};
use platform::postgres::{Repeat, Row, query};

/// How many conversations one claim takes.
const CONVERSATIONS: usize = 128;
/// How many events of one conversation one claim passes on.
const EVENTS: usize = 50;

/// A conversation that is this drain's until the lease runs out.
#[derive(Debug)]
pub struct Claimed {
    pub conversation: ConversationId,
    relayed_seq: i64,
    /// When the lease ends, in microseconds of Unix time: also what tells it
    /// from the lease of another.
    lease: i64,
}

/// What there is to pass on for one conversation, at one moment.
#[derive(Debug)]
pub struct Batch {
    pub conversation: ConversationId,
    /// In order, without a gap.
    pub events: Vec<Event>,
    /// Every participant with their unread count.
    pub unread: Vec<(UserId, i64)>,
}

/// The statement of a claim, by what it does about a row that is busy.
macro_rules! claim {
    ($busy:literal) => {
        concat!(
            "
        with pending as (
            select id from conversations
            where unrelayed and (relay_lease is null or relay_lease < now())
            order by id limit $1::bigint for no key update ",
            $busy,
            "
        )
        update conversations c set relay_lease = clock_timestamp() + interval '10 seconds'
        from pending p where c.id = p.id
        returning c.id, c.relayed_seq, (extract(epoch from c.relay_lease) * 1000000)::bigint"
        )
    };
}

/// Claims conversations. One whose row is busy with posts is left out, unless
/// there is nothing else: then its turn is waited for.
pub async fn claim() -> Result<Vec<Claimed>> {
    let free = query(
        Repeat::Safe,
        claim!("skip locked"),
        vec![number(CONVERSATIONS as i64)],
    )
    .await?;
    let rows = if free.is_empty() {
        query(Repeat::Safe, claim!(""), vec![number(1)]).await?
    } else {
        free
    };
    rows.into_iter().map(claimed).collect()
}

fn claimed(mut row: Row) -> Result<Claimed> {
    Ok(Claimed {
        conversation: row.take()?,
        relayed_seq: row.take()?,
        lease: row.take()?,
    })
}

/// Reads the events and unread counts of what was claimed, in one statement.
pub async fn read(claimed: &[Claimed]) -> Result<Vec<Batch>> {
    const READ: &str = "
        select c.id, e.seqs, e.types, e.messages, e.users, u.users, u.counts
        from unnest($1::bigint[], $2::bigint[]) as c (id, relayed_seq)
        cross join lateral (
            select array_agg(e.seq order by e.seq) as seqs,
                array_agg(e.type::text order by e.seq) as types,
                array_agg(e.message order by e.seq) as messages,
                array_agg(e.user_id order by e.seq) as users
            from (
                select e.seq, e.type, e.user_id, message_json(m) as message
                from events e left join messages m on m.id = e.message_id
                where e.conversation_id = c.id and e.seq > c.relayed_seq
                order by e.seq limit $3::bigint
            ) e
        ) e
        cross join lateral (
            select coalesce(array_agg(u.user_id), '{}') as users,
                coalesce(array_agg(u.count), '{}') as counts
            from unread u where u.conversation_id = c.id
        ) u
        where e.seqs is not null";
    let ids = numbers(claimed.iter().map(|c| c.conversation.get()));
    let seqs = numbers(claimed.iter().map(|c| c.relayed_seq));
    let rows = query(Repeat::Safe, READ, vec![ids, seqs, number(EVENTS as i64)]).await?;
    rows.into_iter().map(batch).collect()
}

fn batch(mut row: Row) -> Result<Batch> {
    let conversation = row.take()?;
    let events = events::from_columns(conversation, &mut row)?;
    let (users, counts): (Vec<i64>, Vec<i64>) = (row.take()?, row.take()?);
    let users = users
        .into_iter()
        .filter_map(|user| UserId::try_from(user).ok());
    Ok(Batch {
        conversation,
        events,
        unread: users.zip(counts).collect(),
    })
}

/// Whether these were all the events that waited, by how many there are.
pub fn is_all(batches: &[Batch]) -> bool {
    batches.len() < CONVERSATIONS && batches.iter().all(|batch| batch.events.len() < EVENTS)
}

/// Notes how far each conversation came and ends the leases. A lease that ran
/// out meanwhile may be another relay's by now, and what this one wrote last
/// may be older than what that one wrote: then the newest event is passed on
/// once more, and the counts with it.
pub async fn finish(claimed: &[Claimed], batches: &[Batch]) -> Result<()> {
    const FINISH: &str = "
        update conversations c
        set relayed_seq = case when c.relay_lease = l.lease
                then greatest(c.relayed_seq, l.seq)
                else least(c.relayed_seq, c.event_seq - 1) end,
            relay_lease = case when c.relay_lease = l.lease then null else c.relay_lease end
        from (
            select l.id, l.seq, timestamptz 'epoch' + l.lease * interval '1 microsecond' as lease
            from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as l (id, seq, lease)
            join conversations using (id)
            order by l.id for no key update of conversations
        ) l
        where c.id = l.id
        returning c.id";
    let came = |claim: &Claimed| {
        let batch = batches
            .iter()
            .find(|batch| batch.conversation == claim.conversation);
        batch
            .and_then(|batch| batch.events.last())
            .map_or(claim.relayed_seq, |last| last.seq.get())
    };
    let ids = numbers(claimed.iter().map(|c| c.conversation.get()));
    let seqs = numbers(claimed.iter().map(came));
    let leases = numbers(claimed.iter().map(|c| c.lease));
    query(Repeat::Safe, FINISH, vec![ids, seqs, leases]).await?;
    Ok(())
}
