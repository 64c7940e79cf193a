//! Receipts: how far each user has read, and what is unread.
//!
//! A user's cursor in a conversation is the ordinal of the last message read.
//! It only moves forward, and each advance is a row of `reads`; a message was
//! read at the first advance that covered it.

use serde::Serialize;

use crate::cache::share;
use crate::conversations::{Viewed, viewed};
use crate::events::{Event, EventType};
use crate::ids::{ConversationId, MessageId, Seq, UserId};
use crate::{Error, Result, conversations, messages};
use platform::postgres::parameters::number;
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
        "no_message" => return Err(row.refusal(messages::not_found())),
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

/// The receipts of a message: one look at the reads of each user who has come so far.
pub(crate) const OF_MESSAGE: Viewed = viewed!(
    r#"
        select '{"messageId":' || m.id || ',"readBy":[' || coalesce((
            select string_agg('{"userId":' || u.user_id || ',"readAt":"' || rfc3339(r.read_at) || '"}',
                ',' order by r.read_at, u.user_id)
            from (
                select p.user_id from participants p
                where p.conversation_id = m.conversation_id and p.last_read_ordinal >= m.ordinal
                union
                select f.user_id from former_participants f
                where f.conversation_id = m.conversation_id and f.last_read_ordinal >= m.ordinal
            ) u
            cross join lateral (
                select e.read_at from reads e
                where e.conversation_id = m.conversation_id and e.user_id = u.user_id
                  and e.ordinal >= m.ordinal
                order by e.ordinal limit 1
            ) r
            where u.user_id is distinct from m.sender_id), '') || ']}'
        from messages m
        where m.id = $1"#,
    "m.conversation_id",
    "$2"
);

/// The users that have read a message, with those who have left since: its receipts as JSON,
/// unless its conversation is hidden from the viewer.
pub async fn of_message(id: MessageId, viewer: Option<UserId>) -> Result<String> {
    let row = OF_MESSAGE.query_one(viewer, vec![number(id.get())]).await?;
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

/// What a user has not read: of the conversations that are listed as unread, and of those that the
/// relay has not listed yet. `offset 0` keeps the count of each a look of its own.
pub(crate) const UNREAD_OF: &str = "
    select u.conversation_id, u.count
    from (
        select l.conversation_id from listings l where l.user_id = $1 and l.unread
        union
        select u.id from unlisted_conversations($1) u (id)
    ) l
    cross join lateral (
        select u.conversation_id, u.count from unread u
        where u.conversation_id = l.conversation_id and u.user_id = $1 and u.count > 0 offset 0
    ) u
    order by u.conversation_id";

/// The conversations in which the user has something to read, in the order of
/// their ids.
pub async fn unread_of(user: UserId) -> Result<Vec<Unread>> {
    let rows = query(Repeat::Safe, UNREAD_OF, vec![number(user.get())]).await?;
    rows.into_iter().map(unread).collect()
}

fn unread(mut row: Row) -> Result<Unread> {
    Ok(Unread {
        conversation_id: row.take()?,
        count: row.take()?,
    })
}
