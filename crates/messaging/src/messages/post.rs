//! Posting: one statement for all who post at the same time, and what it means
//! when that gives nothing.

use crate::content::{ClientMessageId, Content};
use crate::events::{Event, EventType, MessageChange};
use crate::ids::{ConversationId, MessageId, Ordinal, UserId};
use crate::{Error, Result, conversations};
use platform::batcher::{Batcher, OutcomeUnknown};
use platform::postgres::parameters::{numbers, optional_numbers, optional_texts, texts};
use platform::postgres::{ParameterValue, PgFailure, Repeat, Row, query};

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

/// A message's row of `post_messages`, if it has one.
type Written = Result<Option<Row>, PgFailure>;

thread_local! {
    static POSTS: Batcher<NewMessage, Written> = const { Batcher::new() };
}

/// Writes a message.
pub async fn post(new: NewMessage) -> Result<Posted> {
    let (conversation, sender) = (new.conversation, new.sender);
    match write(new).await? {
        Some(row) => posted(conversation, row),
        None => Err(why_not_posted(conversation, sender).await?),
    }
}

async fn write(new: NewMessage) -> Written {
    let unknown = |OutcomeUnknown| Err(PgFailure::Unavailable("the statement was given up".into()));
    let written = Batcher::submit(&POSTS, new.clone(), write_all).await;
    match written.unwrap_or_else(unknown) {
        // Nobody knows whether it was written. With a key, a repetition finds
        // itself; without one it could be written twice.
        Err(PgFailure::Unavailable(cause)) if new.client_message_id.is_none() => {
            Err(PgFailure::Unavailable(cause))
        }
        // It may be the fault of another in the same statement.
        Err(_) => write_all(vec![new])
            .await
            .pop()
            .unwrap_or_else(|| unknown(OutcomeUnknown)),
        written => written,
    }
}

/// Writes messages, all or none of those that may be written.
async fn write_all(new: Vec<NewMessage>) -> Vec<Written> {
    const POST: &str = "
        select place, message_id, message_ordinal, message, seq, same
        from post_messages($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[])";
    let mut written: Vec<_> = new.iter().map(|_| Ok(None)).collect();
    match query(Repeat::Unsafe, POST, columns(new)).await {
        Ok(rows) => {
            for mut row in rows {
                let place: Result<i64, _> = row.take();
                let place = place.ok().and_then(|place| usize::try_from(place - 1).ok());
                if let Some(written) = place.and_then(|place| written.get_mut(place)) {
                    *written = Ok(Some(row));
                }
            }
        }
        Err(failure) => written.fill_with(|| Err(failure.clone())),
    }
    written
}

fn columns(new: Vec<NewMessage>) -> Vec<ParameterValue> {
    let conversations = numbers(new.iter().map(|new| new.conversation.get()));
    let senders = optional_numbers(new.iter().map(|new| new.sender.map(UserId::get)));
    let replies = optional_numbers(new.iter().map(|new| new.reply_to.map(MessageId::get)));
    let (contents, keys): (Vec<_>, Vec<_>) = new
        .into_iter()
        .map(|new| {
            let key = new.client_message_id.map(ClientMessageId::into_string);
            (new.content.into_string(), key)
        })
        .unzip();
    vec![
        conversations,
        senders,
        texts(contents),
        optional_texts(keys),
        replies,
    ]
}

fn posted(conversation: ConversationId, mut row: Row) -> Result<Posted> {
    let id = row.take()?;
    let ordinal = row.take()?;
    let json: String = row.take()?;
    match (row.take()?, row.take()?) {
        (Some(seq), _) => {
            let event = Event {
                kind: EventType::NewMessage,
                conversation,
                seq,
                message: Some(json),
                user: None,
            };
            Ok(Posted::Created(MessageChange { id, event }, ordinal))
        }
        (None, true) => Ok(Posted::Repeated(json, ordinal)),
        (None, false) => Err(Error::Conflict(
            "This clientMessageId was used for another message.",
        )),
    }
}

async fn why_not_posted(conversation: ConversationId, sender: Option<UserId>) -> Result<Error> {
    let visible = conversations::is_visible(conversation, sender).await?;
    Ok(if visible {
        Error::invalid("replyToId", "is not a message of this conversation")
    } else {
        conversations::not_found()
    })
}
