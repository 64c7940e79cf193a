//! Receipts: how far each user has read, and what is unread.
//!
//! A user's cursor in a conversation is the ordinal of the last message read.
//! It only moves forward, and each advance is a row of `reads`; a message was
//! read at the first advance that covered it.

use serde::Serialize;

use crate::cache::share;
use crate::events::{Event, EventType};
use crate::ids::{ConversationId, MessageId, Seq, UserId};
use crate::{Error, Result, conversations, messages};
use platform::postgres::parameters::{number, optional_number};
use platform::postgres::{Repeat, Row, query, query_one};

/// Moves a participant's cursor to a message, unless it is there already, and shares that; when the
/// user first read the message (RFC 3339).
pub async fn read(id: MessageId, user: UserId) -> Result<String> {
    const READ: &str = "
        select outcome, conversation_id, seq, message, read_at from read_message($1, $2)";
    let parameters = vec![number(id.get()), number(user.get())];
    let row = query_one(Repeat::Safe, READ, parameters).await?;
    let mut row = row.ok_or_else(|| Error::internal("read_message gave no row"))?;
    let outcome: String = row.take()?;
    match &*outcome {
        "done" | "unchanged" => {}
        "no_message" => return Err(messages::not_found()),
        other => return Err(Error::internal(format!("read_message: outcome {other}"))),
    }
    let conversation = row.take()?;
    let (seq, message): (Option<Seq>, String) = (row.take()?, row.take()?);
    let read_at = row.take()?;
    let event = seq.map(|seq| Event {
        event_type: EventType::MessageRead,
        conversation,
        seq,
        message_id: Some(id),
        message: Some(message),
        user: Some(user),
    });
    share::share(move |redis| share::publish_if(redis, event.as_ref())).await;
    Ok(read_at)
}

/// The users that have read a message, with those who have left since: its receipts as JSON,
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
