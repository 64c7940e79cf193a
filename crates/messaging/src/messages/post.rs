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
use crate::sealing::{self, Binding, Digest, Keys};
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

impl Author {
    /// The user; none for the system.
    const fn user(&self) -> Option<UserId> {
        match self {
            Self::User(user, _) => Some(*user),
            Self::System(_) => None,
        }
    }

    /// Whether a second post of a message finds the first.
    const fn has_key(&self) -> bool {
        matches!(self, Self::User(_, Some(_)) | Self::System(_))
    }
}

/// A message as PostgreSQL gets it.
#[derive(Debug, Clone)]
struct Stored {
    conversation: ConversationId,
    author: Author,
    reply_to: Option<MessageId>,
    /// The content, sealed if contents are.
    content: String,
    /// Its words, in the form of a `tsvector`.
    words: String,
    /// Its digest, sealed; without one PostgreSQL makes it.
    digest: Option<String>,
}

impl Stored {
    fn of(new: &NewMessage, keys: &Keys) -> Self {
        let text = new.content.as_str();
        let binding = Binding::Content(new.conversation, new.author.user());
        let is_keyed = keys.is_on() && new.author.has_key();
        let digest = is_keyed.then(|| keys.seal_digest(Digest::of(text)));
        Self {
            conversation: new.conversation,
            author: new.author.clone(),
            reply_to: new.reply_to,
            content: keys.seal(text.to_owned(), binding),
            words: search::tsvector(text, keys),
            digest: digest.flatten(),
        }
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

/// A message's row of `post_digested_batch`.
type Written = Result<Row, PgFailure>;

thread_local! {
    static POSTS: Batcher<Stored, Written> = const { Batcher::new() };
    /// Until when batches leave out conversations that are locked.
    static SKIPPING: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Writes a message and shares it.
pub async fn post(new: NewMessage) -> Result<Posted> {
    let keys = sealing::keys().await?;
    let stored = Stored::of(&new, &keys);
    let epoch = cache::epoch_before_change().await;
    let written = Outcome::read(&new, write(stored).await?, &keys)?;
    let posted = written.posted(&keys);
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
    fn read(new: &NewMessage, mut row: Row, keys: &Keys) -> Result<Self> {
        let outcome: String = row.take()?;
        match &*outcome {
            "done" | "repeated" => Self::of_message(new.conversation, &mut row),
            "conflict" => {
                let written = Self::of_message(new.conversation, &mut row)?;
                let known: Option<String> = row.take()?;
                if known.is_some_and(|known| {
                    keys.is_on() && keys.is_digest(&known, Digest::of(new.content.as_str()))
                }) {
                    return Ok(written);
                }
                Err(Error::Conflict(
                    "This idempotency key was used for another message.",
                ))
            }
            "no_conversation" => Err(row.refusal(conversations::not_found())),
            "reply_elsewhere" => Err(Error::invalid(
                "replyToId",
                "is not a message of this conversation",
            )),
            other => Err(Error::internal(format!(
                "post_digested_batch: outcome {other}"
            ))),
        }
    }

    fn of_message(conversation: ConversationId, row: &mut Row) -> Result<Self> {
        Ok(Self {
            conversation,
            id: row.take()?,
            ordinal: row.take()?,
            json: row.take::<String>()?.into(),
            seq: row.take()?,
            version: row.take()?,
        })
    }

    fn posted(&self, keys: &Keys) -> Posted {
        Posted {
            id: self.id,
            json: keys.open(self.json.to_string()),
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
async fn write(new: Stored) -> Written {
    let repeat = if new.author.has_key() {
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
    let missing = || PgFailure::Failed("post_digested_batch gave no row".into());
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
async fn write_batch(new: Vec<Stored>) -> Vec<Written> {
    let missing = || Err(PgFailure::Failed("post_digested_batch gave no row".into()));
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
    select place, outcome, message_id, message_ordinal, message, seq, version, known_digest
    from post_digested_batch(
        $1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
        $9::boolean)";

fn columns(new: Vec<Stored>, skip_busy: bool) -> Vec<ParameterValue> {
    let conversations = numbers(new.iter().map(|new| new.conversation.get()));
    let replies = optional_numbers(new.iter().map(|new| new.reply_to.map(MessageId::get)));
    let (mut senders, mut contents) = (Vec::new(), Vec::new());
    let (mut keys, mut callers) = (Vec::new(), Vec::new());
    let (mut words, mut digests) = (Vec::new(), Vec::new());
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
        words.push(new.words);
        contents.push(new.content);
        digests.push(new.digest);
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
        optional_texts(digests),
        flag(skip_busy),
    ]
}
