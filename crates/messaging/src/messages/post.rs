//! Posting: one statement for all posts that an instance has at the same time, and an outcome for
//! each of them.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use platform::batcher::{Batcher, OutcomeUnknown};
use platform::clock::Instant;
use platform::postgres::parameters::{flag, numbers, optional_numbers, optional_texts, texts};
use platform::postgres::{
    ParameterValue, PgFailure, Repeat, Row, query, query_waiting, query_without_waiting,
};

use super::list_cache::{self, Fresh};
use crate::cache::{self, Epoch, share};
use crate::content::{ClientMessageId, Content, IdempotencyKey};
use crate::events::{Event, EventType};
use crate::ids::{ConversationId, MessageId, Ordinal, Seq, UserId};
use crate::{Error, Result, conversations, keys, search};

/// Which caller an idempotency key belongs to, and the key.
#[derive(Debug, Clone)]
pub struct CallerKey {
    /// The caller.
    pub caller: String,
    /// The key.
    pub key: IdempotencyKey,
}

/// Who writes a message, with the key that makes the post idempotent.
#[derive(Debug, Clone)]
pub enum Author {
    /// A participant.
    User(UserId, Option<ClientMessageId>),
    /// The system.
    System(CallerKey),
}

/// A message to post.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Where.
    pub conversation: ConversationId,
    /// Who writes it.
    pub author: Author,
    /// What.
    pub content: Content,
    /// The message of the same conversation that it answers.
    pub reply_to: Option<MessageId>,
}

impl NewMessage {
    /// Whether a second post of it finds the first.
    const fn is_idempotent(&self) -> bool {
        matches!(self.author, Author::User(_, Some(_)) | Author::System(_))
    }
}

/// A message that is there now.
#[derive(Debug)]
pub struct Posted {
    /// The message.
    pub id: MessageId,
    /// Its JSON.
    pub json: String,
    /// Whether this post wrote it; else an earlier one with the same key did.
    pub is_new: bool,
}

/// A message's row of `post_indexed_batch`.
type Written = Result<Row, PgFailure>;

thread_local! {
    static POSTS: Batcher<NewMessage, Written> = const { Batcher::new() };
    /// Until when batches leave out conversations that are locked.
    static SKIPPING: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Writes a message and shares it.
pub async fn post(new: NewMessage) -> Result<Posted> {
    let conversation = new.conversation;
    let epoch = cache::epoch_before_change().await;
    let written = Outcome::read(conversation, write(new).await?)?;
    let posted = written.posted();
    share_message(written, epoch).await;
    Ok(posted)
}

/// What a row says that was written, now or before.
#[derive(Debug, Clone)]
struct Outcome {
    conversation: ConversationId,
    id: MessageId,
    ordinal: Ordinal,
    json: Rc<str>,
    seq: Option<Seq>,
    version: i64,
}

impl Outcome {
    fn read(conversation: ConversationId, mut row: Row) -> Result<Self> {
        let outcome: String = row.take()?;
        match &*outcome {
            "done" | "repeated" => Ok(Self {
                conversation,
                id: row.take()?,
                ordinal: row.take()?,
                json: row.take::<String>()?.into(),
                seq: row.take()?,
                version: row.take()?,
            }),
            "no_conversation" => Err(row.refusal(conversations::not_found())),
            "reply_elsewhere" => Err(Error::invalid(
                "replyToId",
                "is not a message of this conversation",
            )),
            "conflict" => Err(Error::Conflict(
                "This idempotency key was used for another message.",
            )),
            other => Err(Error::internal(format!(
                "post_indexed_batch: outcome {other}"
            ))),
        }
    }

    fn posted(&self) -> Posted {
        Posted {
            id: self.id,
            json: self.json.to_string(),
            is_new: self.seq.is_some(),
        }
    }

    fn event(&self) -> Option<Event> {
        Some(Event {
            event_type: EventType::NewMessage,
            conversation: self.conversation,
            seq: self.seq?,
            message_id: Some(self.id),
            message: Some(self.json.to_string()),
            user: None,
        })
    }
}

/// A post that is repeated is shared again, without a publication: the first one may have died
/// before it shared.
async fn share_message(written: Outcome, before: Option<Epoch>) {
    let Ok(ttl) = cache::message_ttl().await else {
        return;
    };
    let fresh = Fresh::begin();
    share::share(move |redis| {
        let (written, single) = (written.clone(), written.clone());
        let before = before.clone().filter(|_| fresh.take());
        let list = async move {
            let epoch = cache::epoch().await?;
            let event = written.event().map(|event| event.to_json());
            let channel = keys::messages_channel(written.conversation);
            let channel = event.as_ref().map_or("", |_| &channel);
            let messages = [(written.ordinal, &*written.json)];
            let publish = (channel, event.as_deref().unwrap_or_default());
            let conversation = written.conversation;
            list_cache::append(redis, &epoch, conversation, &messages, publish, ttl).await
        };
        let single = async move {
            let message = (single.id, single.version, &*single.json);
            list_cache::share_message(redis, before.as_ref(), message, ttl).await
        };
        vec![list.boxed_local(), single.boxed_local()]
    })
    .await;
}

/// Writes a message together with others. One whose conversation is locked by another transaction
/// waits for it alone, and so does one that failed together with others.
async fn write(new: NewMessage) -> Written {
    let repeat = if new.is_idempotent() {
        Repeat::Safe
    } else {
        Repeat::Unsafe
    };
    let written = Batcher::submit(&POSTS, new.clone(), write_batch).await;
    let unknown = |OutcomeUnknown| Err(PgFailure::Unavailable("the statement was given up".into()));
    match written.unwrap_or_else(unknown) {
        Ok(row) if !row.is_text("busy") => Ok(row),
        // It may have been written or not. With a key, a repetition finds the first; without one it
        // could be written twice.
        Err(PgFailure::Unavailable(cause)) if repeat == Repeat::Unsafe => {
            Err(PgFailure::Unavailable(cause))
        }
        Ok(_) | Err(PgFailure::Locked(_)) => {
            alone(query_waiting(repeat, POST, columns(vec![new], false)).await)
        }
        Err(PgFailure::Unavailable(_)) => {
            let repeated = alone(query(repeat, POST, columns(vec![new], false)).await);
            repeated.map(Row::of_repetition)
        }
        Err(_) => alone(query(repeat, POST, columns(vec![new], false)).await),
    }
}

fn alone(rows: Result<Vec<Row>, PgFailure>) -> Written {
    let missing = || PgFailure::Failed("post_indexed_batch gave no row".into());
    let rows = rows?;
    rows.into_iter()
        .next()
        .map(without_place)
        .ok_or_else(missing)?
}

/// How long an instance leaves out conversations that are locked, after it found one.
const SKIP_BUSY: Duration = Duration::from_secs(1);

/// Writes messages. A conversation that another transaction holds for long is found out once, at the
/// cost of a short wait; then posts to it are left out of the batches for a while.
async fn write_batch(new: Vec<NewMessage>) -> Vec<Written> {
    let missing = || Err(PgFailure::Failed("post_indexed_batch gave no row".into()));
    let mut written: Vec<Written> = new.iter().map(|_| missing()).collect();
    let skip_busy = SKIPPING.get().is_some_and(|until| Instant::now() < until);
    let mut rows =
        query_without_waiting(Repeat::Unsafe, POST, columns(new.clone(), skip_busy)).await;
    if matches!(rows, Err(PgFailure::Locked(_))) {
        SKIPPING.set(Some(Instant::now() + SKIP_BUSY));
        rows = query_without_waiting(Repeat::Unsafe, POST, columns(new, true)).await;
    }
    match rows {
        Ok(rows) => {
            for mut row in rows {
                let place: Result<i64, _> = row.take();
                let place = place.ok().and_then(|place| usize::try_from(place - 1).ok());
                if let Some(written) = place.and_then(|place| written.get_mut(place)) {
                    *written = Ok(row);
                }
            }
        }
        Err(failure) => written.fill_with(|| Err(failure.clone())),
    }
    written
}

fn without_place(mut row: Row) -> Written {
    row.take::<i64>()?;
    Ok(row)
}

const POST: &str = "
    select place, outcome, message_id, message_ordinal, message, seq, version
    from post_indexed_batch(
        $1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::boolean)";

fn columns(new: Vec<NewMessage>, skip_busy: bool) -> Vec<ParameterValue> {
    let conversations = numbers(new.iter().map(|new| new.conversation.get()));
    let replies = optional_numbers(new.iter().map(|new| new.reply_to.map(MessageId::get)));
    let (mut senders, mut contents) = (Vec::new(), Vec::new());
    let (mut keys, mut callers) = (Vec::new(), Vec::new());
    let mut words = Vec::new();
    for new in new {
        let (sender, key, caller) = match new.author {
            Author::User(user, key) => (
                Some(user.get()),
                key.map(ClientMessageId::into_string),
                None,
            ),
            Author::System(CallerKey { caller, key }) => {
                (None, Some(key.into_string()), Some(caller))
            }
        };
        senders.push(sender);
        words.push(search::tsvector(new.content.as_str()));
        contents.push(new.content.into_string());
        keys.push(key);
        callers.push(caller);
    }
    vec![
        conversations,
        optional_numbers(senders),
        texts(contents),
        optional_texts(keys),
        replies,
        optional_texts(callers),
        texts(words),
        flag(skip_busy),
    ]
}
