//! Posting: one statement, and what it means when that gives nothing.

use crate::content::{ClientMessageId, Content};
use crate::events::{Event, Kind, MessageChange};
use crate::ids::{ConversationId, MessageId, Ordinal, UserId};
use crate::postgres::parameters::{number, optional_number, optional_text, text};
use crate::postgres::{PgFailure, Repeat, Row, query_one};
use crate::{Error, Result, conversations};

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
    Repeated(String, Ordinal),
}

/// One statement: the conversation's row counts message and event and orders
/// its writers, and the message and its event are written with it or not at all.
/// The sender's row counts what is theirs and so not unread.
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
    ), sender as (
        update participants p set sent_after_read = p.sent_after_read + 1
        from conversation c where p.conversation_id = c.id and p.user_id = $2
    ), event as (
        insert into events (conversation_id, seq, type, message_id)
        select c.id, c.event_seq, 'new-message', m.id from conversation c, message m
    )
    select c.id, m.id, m.ordinal, c.event_seq, m.json from conversation c, message m";

/// The first message under an idempotency key, and whether it is the same post.
const POSTED_BEFORE: &str = "
    select message_json(m), m.ordinal, m.client_digest = sha256(convert_to($4::text, 'UTF8'))
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
    let conversation = row.take()?;
    let id = row.take()?;
    let ordinal = row.take()?;
    let event = Event {
        kind: Kind::NewMessage,
        conversation,
        seq: row.take()?,
        message: Some(row.take()?),
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
    let (json, ordinal, same): (String, Ordinal, bool) = (row.take()?, row.take()?, row.take()?);
    if same {
        Ok(Posted::Repeated(json, ordinal))
    } else {
        Err(Error::Conflict(
            "This clientMessageId was used for another message.",
        ))
    }
}

async fn why_not_posted(conversation: ConversationId, sender: Option<UserId>) -> Result<Error> {
    let visible = conversations::is_visible(conversation, sender).await?;
    Ok(if visible {
        Error::invalid("replyToId", "is not a message of this conversation")
    } else {
        Error::no_conversation()
    })
}
