//! Receipts: how far each user has read, and what is unread.
//!
//! A user's cursor in a conversation is the ordinal of the last message read.
//! It only moves forward, and each advance is a row of `reads`; a message was
//! read at the first advance that covered it.

use serde::Serialize;

use crate::events::{Event, EventType};
use crate::ids::{ConversationId, MessageId, Seq, UserId};
use crate::{Error, Result, cache, conversations, messages};
use platform::postgres::parameters::{number, optional_number};
use platform::postgres::{Repeat, Row, query, query_one};

/// What reading a message came to.
#[derive(Debug)]
pub struct Read {
    /// When the user first read it (RFC 3339).
    pub read_at: String,
    /// The event, unless the user had read it before.
    pub event: Option<Event>,
}

/// One statement: the conversation's row lock orders the readers among the
/// writers, and whoever holds it sees the cursor as it is. So the cursor never
/// goes back, and a seq is taken only for an advance, with its event.
const READ: &str = "
    with target as (
        select m.conversation_id, m.ordinal, message_json(m) as json
        from messages m join participants p using (conversation_id)
        where m.id = $1 and p.user_id = $2
    ), lock as (
        select c.id from conversations c join target t on c.id = t.conversation_id
        where exists (
            select from participants p
            where p.conversation_id = c.id and p.user_id = $2 and p.last_read_ordinal < t.ordinal)
        for update of c
    ), cursor as (
        update participants p
        set last_read_ordinal = t.ordinal,
            sent_after_read = p.sent_after_read - (
                select count(*) from messages m
                where m.conversation_id = p.conversation_id and m.sender_id = p.user_id
                  and m.ordinal > p.last_read_ordinal and m.ordinal <= t.ordinal)
        from target t join lock l on l.id = t.conversation_id
        where p.conversation_id = l.id and p.user_id = $2 and p.last_read_ordinal < t.ordinal
        returning p.conversation_id, p.last_read_ordinal
    ), conversation as (
        update conversations c set event_seq = c.event_seq + 1
        from cursor u where c.id = u.conversation_id
        returning c.id, c.event_seq
    ), read as (
        insert into reads (conversation_id, user_id, ordinal, read_at)
        select u.conversation_id, $2::bigint, u.last_read_ordinal, clock_timestamp() from cursor u
        returning rfc3339(read_at) as at
    ), event as (
        insert into events (conversation_id, seq, type, message_id, user_id)
        select c.id, c.event_seq, 'message-read', $1::bigint, $2::bigint from conversation c
    )
    select t.conversation_id, c.event_seq, t.json, coalesce(r.at, (
        select rfc3339(e.read_at) from reads e
        where e.conversation_id = t.conversation_id and e.user_id = $2 and e.ordinal >= t.ordinal
        order by e.ordinal limit 1))
    from target t left join conversation c on true left join read r on true";

/// Moves a participant's cursor to a message, unless it is there already.
pub async fn read(id: MessageId, user: UserId) -> Result<Read> {
    // An advance that came in between is seen only by the next statement.
    for _ in 0..2 {
        let parameters = vec![number(id.get()), number(user.get())];
        let row = query_one(Repeat::Safe, READ, parameters).await?;
        if let Some(read) = outcome(&mut row.ok_or(messages::not_found())?, user)? {
            return Ok(read);
        }
    }
    Err(Error::internal("a cursor has no reads"))
}

fn outcome(row: &mut Row, user: UserId) -> Result<Option<Read>> {
    let conversation = row.take()?;
    let (seq, message): (Option<Seq>, String) = (row.take()?, row.take()?);
    let Some(read_at) = row.take()? else {
        return Ok(None);
    };
    let event = seq.map(|seq| Event {
        kind: EventType::MessageRead,
        conversation,
        seq,
        message: Some(message),
        user: Some(user),
    });
    Ok(Some(Read { read_at, event }))
}

/// Shares a committed advance. Nothing of it can fail the request; what Redis
/// did not take, the relay finds in the database.
pub async fn share(event: &Event) {
    cache::share_event(event, vec![]).await;
}

/// Who has read a message, with whoever has left since: its receipts as JSON,
/// unless its conversation is hidden from the viewer.
pub async fn of_message(id: MessageId, viewer: Option<UserId>) -> Result<String> {
    const OF_MESSAGE: &str = r#"
        select '{"messageId":' || m.id || ',"readBy":[' || coalesce((
            select string_agg('{"userId":' || r.user_id || ',"readAt":"' || rfc3339(r.read_at) || '"}',
                ',' order by r.read_at, r.user_id)
            from (
                select distinct on (e.user_id) e.user_id, e.read_at from reads e
                where e.conversation_id = m.conversation_id and e.ordinal >= m.ordinal
                  and e.user_id is distinct from m.sender_id
                order by e.user_id, e.ordinal) r), '') || ']}'
        from messages m
        where m.id = $1 and ($2::bigint is null or exists (
            select from participants p
            where p.conversation_id = m.conversation_id and p.user_id = $2))"#;
    let parameters = vec![number(id.get()), optional_number(viewer.map(UserId::get))];
    let row = query_one(Repeat::Safe, OF_MESSAGE, parameters).await?;
    Ok(row.ok_or(messages::not_found())?.take()?)
}

/// How much of one conversation a user has not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// Where.
    pub conversation_id: ConversationId,
    /// Messages by others, not deleted, after the last one read.
    pub count: i64,
}

/// A participant's unread count in one conversation.
pub async fn unread_in(conversation: ConversationId, user: UserId) -> Result<Unread> {
    const UNREAD_IN: &str = "
        select conversation_id, count from unread
        where conversation_id = $1 and user_id = $2";
    let parameters = vec![number(conversation.get()), number(user.get())];
    let row = query_one(Repeat::Safe, UNREAD_IN, parameters).await?;
    unread(row.ok_or(conversations::not_found())?)
}

/// The conversations in which the user has something to read, in the order of
/// their ids.
pub async fn unread_of(user: UserId) -> Result<Vec<Unread>> {
    const UNREAD_OF: &str = "
        select conversation_id, count from unread
        where user_id = $1 and count > 0
        order by conversation_id";
    let rows = query(Repeat::Safe, UNREAD_OF, vec![number(user.get())]).await?;
    rows.into_iter().map(unread).collect()
}

fn unread(mut row: Row) -> Result<Unread> {
    Ok(Unread {
        conversation_id: row.take()?,
        count: row.take()?,
    })
}
