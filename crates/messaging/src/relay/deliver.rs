//! Delivering to Redis: unread counts, streams, feeds, and the cache where it missed a change.
//!
//! Commands go out in windows of a few hundred, which bounds memory and the host's handles, and each
//! conversation succeeds or fails by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{LocalBoxFuture, join_all};
use platform::args;
use platform::clock::Instant;
use platform::redis::{RedisError, Script, millis};

use super::claim::{Batch, LEASE, Progress};
use super::publish::Publisher;
use crate::cache::{self, Epoch};
use crate::events::{Event, EventType};
use crate::feeds::streams::{FeedEntry, append_to_feed, append_to_stream};
use crate::ids::{ConversationId, Ordinal, UserId};
use crate::messages::list_cache;
use crate::{RedisService, Result, conversations, keys, messages};

/// Sets an unread count in time.
const UNREAD_SET: Script = Script::idempotent(include_str!("unread_set.lua"));

/// Until when a drain may write counts, by the clock of Redis (Unix ms): not longer than the leases
/// that it takes. A relay or a Redis that is frozen for longer would else put an old count over that
/// of the next relay. (Streams and feeds refuse what is older by its seq.)
#[derive(Debug, Clone, Copy)]
pub struct Until(i64);

impl Until {
    /// For a drain that begins at this time of Redis.
    pub fn of_drain(start: i64) -> Self {
        Self(start + millis(LEASE - Duration::from_secs(1)))
    }
}

/// How many commands are under way at the same time.
pub const WINDOW: usize = 200;

pub type Command<'a> = LocalBoxFuture<'a, Result<(), RedisError>>;

/// What became of each conversation, and whether Redis was away.
pub struct Delivered {
    progress: BTreeMap<ConversationId, Progress>,
    pub outage: Option<RedisError>,
}

impl Delivered {
    pub fn progress(&self, conversation: ConversationId) -> Progress {
        let progress = self.progress.get(&conversation);
        progress.copied().unwrap_or(Progress::Untouched)
    }
}

/// On what terms a window is written.
#[derive(Clone, Copy)]
struct Terms<'a> {
    epoch: &'a Epoch,
    ttl: Duration,
    until: Until,
    publisher: &'a Publisher,
}

/// Delivers batches until `deadline`; those that are left then are untouched.
pub async fn deliver(
    redis: RedisService,
    batches: &[Batch],
    deadline: Instant,
    until: Until,
    publisher: &Publisher,
) -> Result<Delivered> {
    let ttl = cache::message_ttl().await?;
    let epoch = cache::epoch().await?;
    let mut delivered = Delivered {
        progress: BTreeMap::new(),
        outage: None,
    };
    let mut rest = batches;
    while !rest.is_empty() && delivered.outage.is_none() && Instant::now() < deadline {
        let (now, later) = rest.split_at(fit(rest));
        rest = later;
        let terms = Terms {
            epoch: &epoch,
            ttl,
            until,
            publisher,
        };
        deliver_window(redis, now, terms, &mut delivered).await;
    }
    Ok(delivered)
}

/// How many of the batches fit into a window; one at the least.
fn fit(batches: &[Batch]) -> usize {
    let mut commands = 0;
    let fits = batches.iter().take_while(|batch| {
        commands += 2 * batch.unread.len() + batch.events.len() + 4;
        commands <= WINDOW
    });
    fits.count().max(1)
}

async fn deliver_window(
    redis: RedisService,
    batches: &[Batch],
    terms: Terms<'_>,
    delivered: &mut Delivered,
) {
    let mut commands = Vec::new();
    for batch in batches {
        let own = commands_of(redis, batch, terms);
        commands.extend(
            own.into_iter()
                .map(|command| command.map(|r| (batch.conversation, r))),
        );
    }
    let mut failed = BTreeSet::new();
    while !commands.is_empty() && delivered.outage.is_none() {
        let window: Vec<_> = commands.drain(..commands.len().min(WINDOW)).collect();
        for (conversation, result) in join_all(window).await {
            match result {
                Ok(()) => {}
                Err(error) if error.is_outage() => delivered.outage = Some(error),
                Err(error) => {
                    log::warn!("conversation {conversation} is not delivered: {error}");
                    failed.insert(conversation);
                }
            }
        }
    }
    if delivered.outage.is_some() {
        return;
    }
    for batch in batches {
        let last = batch.events.last().map_or(0, |event| event.seq.get());
        let progress = if failed.contains(&batch.conversation) {
            Progress::Failed
        } else {
            Progress::Delivered(last)
        };
        delivered.progress.insert(batch.conversation, progress);
    }
}

/// Commands on the same key are one command, so that their order is sure.
fn commands_of<'a>(redis: RedisService, batch: &'a Batch, terms: Terms<'a>) -> Vec<Command<'a>> {
    let Terms {
        epoch,
        ttl,
        until,
        publisher,
    } = terms;
    let mut commands = mend_cache(redis, batch, epoch, ttl);
    commands.push(stream(redis, batch, publisher));
    for (user, count) in &batch.unread {
        let mut entries = feed_entries(batch, *user);
        entries.push(unread_entry(batch, *count));
        commands.push(feed(redis, *user, entries, publisher));
        commands.push(set_unread(redis, until, batch.conversation, *user, *count));
    }
    for user in gone(batch) {
        let entries = feed_entries(batch, user);
        commands.push(feed(redis, user, entries, publisher));
        commands.push(delete_unread(redis, batch.conversation, user));
    }
    commands
}

fn feed<'a>(
    redis: RedisService,
    user: UserId,
    entries: Vec<FeedEntry>,
    publisher: &'a Publisher,
) -> Command<'a> {
    async move {
        let added = append_to_feed(redis, user, &entries).await?;
        publisher.take(user, &added, |at| &entries[at].event);
        Ok(())
    }
    .boxed_local()
}

/// The users who left and have not come back.
fn gone(batch: &Batch) -> BTreeSet<UserId> {
    let left = batch
        .events
        .iter()
        .filter(|event| event.event_type == EventType::ParticipantLeft)
        .filter_map(|event| event.user)
        .chain(batch.left_later.iter().copied());
    let present = |user: &UserId| {
        batch.unread.iter().any(|(present, _)| present == user) || batch.unseen.contains(user)
    };
    left.filter(|user| !present(user)).collect()
}

/// What of the batch a user's feed gets: all events while they take part, up to their own leaving;
/// of several reads by one user, the last.
fn feed_entries(batch: &Batch, user: UserId) -> Vec<FeedEntry> {
    let mut entries = Vec::new();
    let mut takes_part = took_part_before(batch, user);
    for (at, event) in batch.events.iter().enumerate() {
        let own = event.user == Some(user);
        takes_part |= own && event.event_type == EventType::ParticipantJoined;
        if takes_part && !is_superseded(event, &batch.events[at + 1..]) {
            entries.push(FeedEntry {
                position: Some((event.conversation, event.seq)),
                event: event.to_reference(),
            });
        }
        takes_part &= !(own && event.event_type == EventType::ParticipantLeft);
    }
    entries
}

/// A user whose first own membership event is a joining did not take part before it, in the batch or
/// after it.
fn took_part_before(batch: &Batch, user: UserId) -> bool {
    let own = |event: &&Event| event.user == Some(user);
    let membership = |event: &&Event| {
        matches!(
            event.event_type,
            EventType::ParticipantJoined | EventType::ParticipantLeft
        )
    };
    let first = batch.events.iter().filter(own).find(membership);
    match first {
        Some(event) => event.event_type == EventType::ParticipantLeft,
        None => !batch.joined_later.contains(&user),
    }
}

fn is_superseded(event: &Event, later: &[Event]) -> bool {
    event.event_type == EventType::MessageRead
        && later
            .iter()
            .any(|other| other.event_type == EventType::MessageRead && other.user == event.user)
}

fn unread_entry(batch: &Batch, count: i64) -> FeedEntry {
    let conversation = batch.conversation;
    FeedEntry {
        position: None,
        event: format!(
            r#"{{"type":"unread-count","conversationId":{conversation},"count":{count}}}"#
        ),
    }
}

/// Sets the unread count that Redis holds for a participant, unless the lease is over.
pub fn set_unread(
    redis: RedisService,
    until: Until,
    conversation: ConversationId,
    user: UserId,
    count: i64,
) -> Command<'static> {
    let key = keys::unread(conversation, user);
    async move {
        let is_set: bool = redis
            .script(UNREAD_SET, &key, args![count, until.0])
            .await?;
        let late = || RedisError::Disconnected("the lease is over".into());
        is_set.then_some(()).ok_or_else(late)
    }
    .boxed_local()
}

/// Deletes the unread count of a user who left.
pub fn delete_unread(
    redis: RedisService,
    conversation: ConversationId,
    user: UserId,
) -> Command<'static> {
    let key = keys::unread(conversation, user);
    async move { redis.del(&key).await.map(|_| ()) }.boxed_local()
}

fn stream<'a>(redis: RedisService, batch: &Batch, publisher: &'a Publisher) -> Command<'a> {
    let id = batch.conversation;
    let entry = |event: &Event| (event.seq, event.to_reference());
    let entries: Vec<_> = batch.events.iter().map(entry).collect();
    async move {
        if append_to_stream(redis, id, &entries).await? {
            publisher.take_events(id, &entries);
        }
        Ok(())
    }
    .boxed_local()
}

/// Brings the cache up to date where a writer could not: it was late or lost.
fn mend_cache<'a>(
    redis: RedisService,
    batch: &'a Batch,
    epoch: &'a Epoch,
    ttl: Duration,
) -> Vec<Command<'a>> {
    let id = batch.conversation;
    let mut commands: Vec<Command<'a>> = Vec::new();
    if let Some(newest) = batch.newest_message {
        commands.push(mend_list(redis, id, newest, epoch, ttl).boxed_local());
    }
    let changed: BTreeMap<_, _> = batch.events.iter().filter_map(changed_message).collect();
    if !changed.is_empty() {
        commands.push(list_cache::drop_list(redis, id).boxed_local());
    }
    for (message, seq) in changed {
        commands.push(list_cache::drop_message(redis, epoch, message, seq, ttl).boxed_local());
    }
    if batch.events.iter().any(changes_conversation) {
        commands.push(conversations::drop_cached(redis, id).boxed_local());
    }
    commands
}

/// Adds to the cached list what its writer could not.
async fn mend_list(
    redis: RedisService,
    id: ConversationId,
    newest: Ordinal,
    epoch: &Epoch,
    ttl: Duration,
) -> Result<(), RedisError> {
    let Some(last) = list_cache::last_before(redis, id, newest).await? else {
        return Ok(());
    };
    match messages::between(id, last, newest).await {
        Ok(missing) => {
            let missing: Vec<_> = missing
                .iter()
                .map(|(at, json)| (*at, json.as_str()))
                .collect();
            list_cache::append(redis, epoch, id, &missing, ("", ""), ttl).await
        }
        // Without the messages the list is not exact.
        Err(_) => list_cache::drop_list(redis, id).await,
    }
}

fn changed_message(event: &Event) -> Option<(crate::ids::MessageId, i64)> {
    let changes = matches!(
        event.event_type,
        EventType::MessageEdited | EventType::MessageDeleted
    );
    event
        .message_id
        .filter(|_| changes)
        .map(|id| (id, event.seq.get()))
}

/// Whether it changes what the cache holds of the conversation itself.
fn changes_conversation(event: &Event) -> bool {
    matches!(
        event.event_type,
        EventType::ParticipantJoined | EventType::ParticipantLeft | EventType::ConversationChanged
    )
}

#[cfg(test)]
mod tests;
