//! Changing: edits and deletions.

use super::not_found;
use crate::content::Content;
use crate::events::{Event, EventType, MessageChange};
use crate::ids::{ConversationId, MessageId, Seq, UserId};
use crate::{Error, Result};
use platform::postgres::parameters::{number, optional_number, text};
use platform::postgres::{Repeat, Row, query, query_one};

/// Changes a message's content; only for its sender, or a service.
pub async fn edit(
    id: MessageId,
    caller: Option<UserId>,
    content: Content,
) -> Result<MessageChange> {
    const EDIT: &str = "
        with target as (
            select m.conversation_id from messages m
            where m.id = $1 and m.kind = 'user' and m.deleted_at is null
              and ($2::bigint is null or (m.sender_id = $2 and exists (
                  select from participants p
                  where p.conversation_id = m.conversation_id and p.user_id = $2)))
        ), conversation as (
            update conversations c
            set event_seq = c.event_seq + 1, list_seq = c.event_seq + 1
            from target t where c.id = t.conversation_id
            returning c.id, c.event_seq
        ), message as (
            update messages m set content = $3::text, edited_at = clock_timestamp()
            from conversation c
            where m.id = $1 and m.conversation_id = c.id and m.deleted_at is null
            returning message_json(m.*) as json
        ), event as (
            insert into events (conversation_id, seq, type, message_id)
            select c.id, c.event_seq, 'message-edited', $1::bigint from conversation c
        )
        select c.id, c.event_seq, m.json from conversation c left join message m on true";
    let parameters = vec![
        number(id.get()),
        optional_number(caller.map(UserId::get)),
        text(content.into_string()),
    ];
    match query_one(Repeat::Safe, EDIT, parameters).await? {
        Some(mut row) => changed(&mut row, id, EventType::MessageEdited)?.ok_or_else(gone),
        None => Err(why_not_changed(id, caller, "Only its sender edits a message.").await?),
    }
}

/// Makes a message a tombstone; only for its sender, or a service. `None` if it
/// was one already.
pub async fn delete(id: MessageId, caller: Option<UserId>) -> Result<Option<MessageChange>> {
    const DELETE: &str = "
        with target as (
            select m.conversation_id from messages m
            where m.id = $1 and m.deleted_at is null
              and ($2::bigint is null or (m.sender_id = $2 and exists (
                  select from participants p
                  where p.conversation_id = m.conversation_id and p.user_id = $2)))
        ), conversation as (
            update conversations c
            set event_seq = c.event_seq + 1, list_seq = c.event_seq + 1
            from target t where c.id = t.conversation_id
            returning c.id, c.event_seq
        ), message as (
            update messages m set content = null, deleted_at = clock_timestamp()
            from conversation c
            where m.id = $1 and m.conversation_id = c.id and m.deleted_at is null
            returning message_json(m.*) as json
        ), event as (
            insert into events (conversation_id, seq, type, message_id)
            select c.id, c.event_seq, 'message-deleted', $1::bigint from conversation c
        )
        select c.id, c.event_seq, m.json from conversation c left join message m on true";
    let parameters = vec![number(id.get()), optional_number(caller.map(UserId::get))];
    if let Some(mut row) = query_one(Repeat::Safe, DELETE, parameters).await? {
        return changed(&mut row, id, EventType::MessageDeleted);
    }
    match why_not_changed(
        id,
        caller,
        "Only its sender or a service deletes a message.",
    )
    .await?
    {
        Error::Conflict(_) => Ok(None),
        error => Err(error),
    }
}

/// The change, or `None` if the message was deleted by somebody else meanwhile.
fn changed(row: &mut Row, id: MessageId, kind: EventType) -> Result<Option<MessageChange>> {
    let (conversation, seq): (ConversationId, Seq) = (row.take()?, row.take()?);
    let Some(json) = row.take::<Option<String>>()? else {
        return Ok(None);
    };
    let event = Event {
        kind,
        conversation,
        seq,
        message: Some(json),
        user: None,
    };
    Ok(Some(MessageChange { id, event }))
}

fn gone() -> Error {
    Error::Conflict("The message was deleted.")
}

async fn why_not_changed(
    id: MessageId,
    caller: Option<UserId>,
    rule: &'static str,
) -> Result<Error> {
    const WHY: &str = "
        select $2::bigint is null or exists (
                select from participants p
                where p.conversation_id = m.conversation_id and p.user_id = $2),
            $2::bigint is null or m.sender_id is not distinct from $2,
            m.deleted_at is not null
        from messages m where m.id = $1";
    let parameters = vec![number(id.get()), optional_number(caller.map(UserId::get))];
    let mut rows = query(Repeat::Safe, WHY, parameters).await?;
    let Some(row) = rows.first_mut() else {
        return Ok(not_found());
    };
    let (visible, own, deleted): (bool, bool, bool) = (row.take()?, row.take()?, row.take()?);
    Ok(match (visible, own, deleted) {
        (false, ..) => not_found(),
        (_, false, _) => Error::Forbidden(rule),
        (_, _, true) => gone(),
        // A service may not edit what the system said.
        _ => Error::Forbidden(rule),
    })
}
