//! Messages: their statements, beside the rows that these give.

use spin_sdk::pg::ParameterValue;

use crate::content::{ClientMessageId, Content};
use crate::events::{Event, Kind, MessageChange};
use crate::ids::{ConversationId, MessageId, Ordinal, Seq, UserId};
use crate::postgres::{PgFailure, Repeat, Row, query, query_one};
use crate::redis::keys::LIST_MAX;
use crate::{Error, Result};

/// A message to post.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Where.
    pub conversation: ConversationId,
    /// Who says it; nobody for a system message.
    pub sender: Option<UserId>,
    /// What.
    pub content: Content,
    /// The sender's idempotency key.
    pub client_message_id: Option<ClientMessageId>,
    /// The message of the same conversation that it answers.
    pub reply_to: Option<MessageId>,
}

/// What posting came to.
#[derive(Debug)]
pub enum Posted {
    /// It was written.
    Created(MessageChange, Ordinal),
    /// It had been written before under the same `clientMessageId`; its JSON.
    Repeated(String),
}

/// One statement: the conversation's row counts message and event and orders
/// its writers, and the message and its event are written with it or not at all.
const POST: &str = "
    with conversation as (
        update conversations c
        set message_count = c.message_count + 1,
            event_seq = c.event_seq + 1,
            list_seq = c.event_seq + 1,
            last_activity_at = clock_timestamp()
        where c.id = $1
          and ($2::bigint is null or exists (
              select from participants p where p.conversation_id = $1 and p.user_id = $2))
          and ($5::bigint is null or exists (
              select from messages r where r.id = $5 and r.conversation_id = $1))
        returning c.id, c.message_count, c.event_seq
    ), message as (
        insert into messages (conversation_id, ordinal, sender_id, kind, content,
            client_message_id, client_digest, reply_to_id, created_at)
        select c.id, c.message_count, $2::bigint,
            case when $2::bigint is null then 'system' else 'user' end, $3::text, $4::text,
            case when $4::text is not null then sha256(convert_to($3::text, 'UTF8')) end,
            $5::bigint, clock_timestamp()
        from conversation c
        returning id, ordinal, message_json(messages.*) as json
    ), event as (
        insert into events (conversation_id, seq, type, message_id)
        select c.id, c.event_seq, 'new-message', m.id from conversation c, message m
    )
    select c.id, m.id, m.ordinal, c.event_seq, m.json from conversation c, message m";

/// The first message under an idempotency key, and whether it is the same post.
const POSTED_BEFORE: &str = "
    select message_json(m), m.client_digest = sha256(convert_to($4::text, 'UTF8'))
        and m.reply_to_id is not distinct from $5::bigint
    from messages m
    where m.conversation_id = $1 and m.sender_id = $2 and m.client_message_id = $3";

/// Writes a message.
pub async fn post(new: NewMessage) -> Result<Posted> {
    let key = new.client_message_id.map(ClientMessageId::into_string);
    let content = new.content.into_string();
    let parameters = vec![
        number(new.conversation.get()),
        optional_number(new.sender.map(UserId::get)),
        text(content.clone()),
        optional_text(key.clone()),
        optional_number(new.reply_to.map(MessageId::get)),
    ];
    // With a key, a repetition finds itself; without one it could write twice.
    let repeat = if key.is_some() {
        Repeat::Safe
    } else {
        Repeat::Unsafe
    };
    match query_one(repeat, POST, parameters).await {
        Ok(Some(mut row)) => created(&mut row),
        Ok(None) => Err(why_not_posted(new.conversation, new.sender).await?),
        Err(PgFailure::Constraint(name)) if name == "messages_client_message_id" => {
            posted_before(new.conversation, new.sender, key, content, new.reply_to).await
        }
        Err(failure) => Err(failure.into()),
    }
}

fn created(row: &mut Row) -> Result<Posted> {
    let conversation = row.next()?;
    let id = row.next()?;
    let ordinal = row.next()?;
    let event = Event {
        kind: Kind::NewMessage,
        conversation,
        seq: row.next()?,
        message: Some(row.next()?),
        user: None,
    };
    Ok(Posted::Created(MessageChange { id, event }, ordinal))
}

async fn posted_before(
    conversation: ConversationId,
    sender: Option<UserId>,
    key: Option<String>,
    content: String,
    reply_to: Option<MessageId>,
) -> Result<Posted> {
    let parameters = vec![
        number(conversation.get()),
        optional_number(sender.map(UserId::get)),
        optional_text(key),
        text(content),
        optional_number(reply_to.map(MessageId::get)),
    ];
    let row = query_one(Repeat::Safe, POSTED_BEFORE, parameters).await?;
    let mut row = row.ok_or_else(|| Error::internal("a clientMessageId conflicts with nothing"))?;
    let (json, same): (String, bool) = (row.next()?, row.next()?);
    if same {
        Ok(Posted::Repeated(json))
    } else {
        Err(Error::Conflict(
            "This clientMessageId was used for another message.",
        ))
    }
}

async fn why_not_posted(conversation: ConversationId, sender: Option<UserId>) -> Result<Error> {
    let visible = crate::conversations::is_visible(conversation, sender).await?;
    Ok(if visible {
        Error::invalid("replyToId", "is not a message of this conversation")
    } else {
        Error::no_conversation()
    })
}

/// The newest messages of a conversation at one moment.
#[derive(Debug)]
pub struct Newest {
    /// The seq of the event that last changed the list.
    pub list_seq: i64,
    /// Up to [`LIST_MAX`] messages as JSON, oldest first.
    pub messages: Vec<String>,
    /// Whether the relay has yet to pass on some of the conversation's events.
    pub unrelayed: bool,
}

/// The newest messages, unless the conversation is hidden from the viewer.
pub async fn newest(conversation: ConversationId, viewer: Option<UserId>) -> Result<Newest> {
    const NEWEST: &str = "
        select c.list_seq, array(
                select message_json(m) from messages m
                where m.conversation_id = c.id order by m.ordinal desc limit $3::bigint),
            c.relayed_seq < c.event_seq
        from conversations c
        where c.id = $1 and ($2::bigint is null or exists (
            select from participants p where p.conversation_id = c.id and p.user_id = $2))";
    let parameters = vec![
        number(conversation.get()),
        optional_number(viewer.map(UserId::get)),
        number(LIST_MAX as i64),
    ];
    let row = query_one(Repeat::Safe, NEWEST, parameters).await?;
    let mut row = row.ok_or(Error::no_conversation())?;
    let list_seq = row.next()?;
    let mut messages: Vec<String> = row.next()?;
    messages.reverse();
    let unrelayed = row.next()?;
    Ok(Newest {
        list_seq,
        messages,
        unrelayed,
    })
}

/// The seq of the event that last changed a conversation's list of messages.
pub async fn list_seq(conversation: ConversationId) -> Result<Option<i64>> {
    const LIST_SEQ: &str = "select list_seq from conversations where id = $1";
    let row = query_one(Repeat::Safe, LIST_SEQ, vec![number(conversation.get())]).await?;
    Ok(row.map(|mut row| row.next()).transpose()?)
}

/// A page beside a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// The messages just before it.
    Before(MessageId),
    /// The messages just after it.
    After(MessageId),
}

/// The page before or after a message as one JSON array, oldest first, unless
/// the conversation is hidden from the viewer.
pub async fn page(
    conversation: ConversationId,
    viewer: Option<UserId>,
    beside: Beside,
    limit: usize,
) -> Result<String> {
    // Ordinals have no gap, so a page is a range of them.
    const BEFORE: &str = "
        select (
            select '[' || coalesce(string_agg(message_json(m), ',' order by m.ordinal), '') || ']'
            from messages m
            where m.conversation_id = c.id
              and m.ordinal < a.ordinal and m.ordinal >= a.ordinal - $4::bigint)
        from conversations c join messages a on a.id = $3 and a.conversation_id = c.id
        where c.id = $1 and ($2::bigint is null or exists (
            select from participants p where p.conversation_id = c.id and p.user_id = $2))";
    const AFTER: &str = "
        select (
            select '[' || coalesce(string_agg(message_json(m), ',' order by m.ordinal), '') || ']'
            from messages m
            where m.conversation_id = c.id
              and m.ordinal > a.ordinal and m.ordinal <= a.ordinal + $4::bigint)
        from conversations c join messages a on a.id = $3 and a.conversation_id = c.id
        where c.id = $1 and ($2::bigint is null or exists (
            select from participants p where p.conversation_id = c.id and p.user_id = $2))";
    let (statement, anchor) = match beside {
        Beside::Before(id) => (BEFORE, id),
        Beside::After(id) => (AFTER, id),
    };
    let parameters = vec![
        number(conversation.get()),
        optional_number(viewer.map(UserId::get)),
        number(anchor.get()),
        number(limit as i64),
    ];
    if let Some(mut row) = query_one(Repeat::Safe, statement, parameters).await? {
        return Ok(row.next()?);
    }
    let visible = crate::conversations::is_visible(conversation, viewer).await?;
    Err(if visible {
        Error::no_message()
    } else {
        Error::no_conversation()
    })
}

/// A message as JSON, unless its conversation is hidden from the viewer.
pub async fn find(id: MessageId, viewer: Option<UserId>) -> Result<Option<String>> {
    const FIND: &str = "
        select message_json(m) from messages m
        where m.id = $1 and ($2::bigint is null or exists (
            select from participants p
            where p.conversation_id = m.conversation_id and p.user_id = $2))";
    let parameters = vec![number(id.get()), optional_number(viewer.map(UserId::get))];
    let row = query_one(Repeat::Safe, FIND, parameters).await?;
    Ok(row.map(|mut row| row.next()).transpose()?)
}

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
        Some(mut row) => changed(&mut row, id, Kind::MessageEdited)?.ok_or_else(gone),
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
        return changed(&mut row, id, Kind::MessageDeleted);
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
fn changed(row: &mut Row, id: MessageId, kind: Kind) -> Result<Option<MessageChange>> {
    let (conversation, seq): (ConversationId, Seq) = (row.next()?, row.next()?);
    let Some(json) = row.next::<Option<String>>()? else {
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
        return Ok(Error::no_message());
    };
    let (visible, own, deleted): (bool, bool, bool) = (row.next()?, row.next()?, row.next()?);
    Ok(match (visible, own, deleted) {
        (false, ..) => Error::no_message(),
        (_, false, _) => Error::Forbidden(rule),
        (_, _, true) => gone(),
        // A service may not edit what the system said.
        _ => Error::Forbidden(rule),
    })
}

pub(crate) fn number(value: i64) -> ParameterValue {
    ParameterValue::Int64(value)
}

pub(crate) fn optional_number(value: Option<i64>) -> ParameterValue {
    value.map_or(ParameterValue::DbNull, number)
}

fn text(value: String) -> ParameterValue {
    ParameterValue::Str(value)
}

pub(crate) fn optional_text(value: Option<String>) -> ParameterValue {
    value.map_or(ParameterValue::DbNull, text)
}
