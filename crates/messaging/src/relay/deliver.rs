//! One round trip to Redis: unread counts, streams, feeds, and the cache where
//! it missed a change.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{LocalBoxFuture, try_join_all};
use platform::redis::RedisError;

use super::claim::Batch;
use crate::events::{Event, EventType};
use crate::feeds::streams::{append_to_feed, append_to_stream};
use crate::ids::UserId;
use crate::messages::{MessageHead, list_cache};
use crate::{RedisService, Result, cache, keys};

type Command<'a> = LocalBoxFuture<'a, Result<(), RedisError>>;

/// Delivers batches. Commands on the same key are one command, so that their
/// order is sure.
pub async fn deliver(redis: RedisService, batches: &[Batch]) -> Result<()> {
    let life = cache::message_ttl().await?;
    let mut commands: Vec<Command<'_>> = Vec::new();
    let mut feeds: BTreeMap<UserId, Vec<String>> = BTreeMap::new();
    for batch in batches {
        let lines: Vec<String> = batch.events.iter().map(Event::to_json).collect();
        for user in recipients(batch) {
            feeds.entry(user).or_default().extend(lines.iter().cloned());
        }
        for (user, count) in &batch.unread {
            feeds
                .entry(*user)
                .or_default()
                .push(unread_event(batch, *count));
        }
        commands.extend(unread(redis, batch));
        commands.push(stream(redis, batch, lines));
        commands.extend(mend_list(redis, batch, life));
        commands.extend(
            batch
                .events
                .iter()
                .filter_map(|event| drop_stale(redis, event)),
        );
    }
    commands.extend(feeds.into_iter().map(|(user, lines)| {
        async move { append_to_feed(redis, user, &lines).await.map(|_| ()) }.boxed_local()
    }));
    try_join_all(commands).await?;
    Ok(())
}

/// The participants, and whoever just left.
fn recipients(batch: &Batch) -> impl Iterator<Item = UserId> {
    let present = batch.unread.iter().map(|(user, _)| *user);
    let mut left: Vec<UserId> = gone(batch).collect();
    left.sort_unstable();
    left.dedup();
    present.chain(left)
}

/// Who left and has not come back.
fn gone(batch: &Batch) -> impl Iterator<Item = UserId> {
    let left = batch
        .events
        .iter()
        .filter(|event| event.kind == EventType::ParticipantLeft);
    let left = left.filter_map(|event| event.user);
    left.filter(|user| batch.unread.iter().all(|(present, _)| present != user))
}

fn unread_event(batch: &Batch, count: i64) -> String {
    format!(
        r#"{{"type":"unread-count","conversationId":{},"count":{count}}}"#,
        batch.conversation
    )
}

fn unread(redis: RedisService, batch: &Batch) -> Vec<Command<'static>> {
    let id = batch.conversation;
    let set = batch.unread.iter().map(move |&(user, count)| {
        let key = keys::unread(id, user);
        async move { redis.set(&key, count.to_string().as_bytes(), None).await }.boxed_local()
    });
    let del = gone(batch).map(move |user| {
        let key = keys::unread(id, user);
        async move { redis.del(&key).await.map(|_| ()) }.boxed_local()
    });
    set.chain(del).collect()
}

fn stream(redis: RedisService, batch: &Batch, lines: Vec<String>) -> Command<'static> {
    let id = batch.conversation;
    let entries: Vec<_> = batch
        .events
        .iter()
        .map(|event| event.seq)
        .zip(lines)
        .collect();
    async move { append_to_stream(redis, id, &entries).await.map(|_| ()) }.boxed_local()
}

/// Adds to the cached list what a writer could not.
fn mend_list(redis: RedisService, batch: &Batch, life: Duration) -> Option<Command<'_>> {
    let messages = batch
        .events
        .iter()
        .filter(|event| event.kind == EventType::NewMessage)
        .filter_map(|event| event.message.as_deref());
    let new: Vec<_> = messages
        .filter_map(|message| Some((MessageHead::parse(message.as_bytes())?.ordinal, message)))
        .collect();
    if new.is_empty() {
        return None;
    }
    let id = batch.conversation;
    Some(async move { list_cache::append(redis, id, &new, life).await }.boxed_local())
}

/// Drops from the cache what an event made out of date, if its writer could not.
fn drop_stale(redis: RedisService, event: &Event) -> Option<Command<'static>> {
    let conversation = event.conversation;
    match event.kind {
        EventType::MessageEdited | EventType::MessageDeleted => {
            let id = MessageHead::parse(event.message.as_deref()?.as_bytes())?.id;
            Some(async move { cache::drop_message(redis, conversation, id).await }.boxed_local())
        }
        EventType::ParticipantJoined | EventType::ParticipantLeft => Some(
            async move {
                redis
                    .del(&keys::conversation(conversation))
                    .await
                    .map(|_| ())
            }
            .boxed_local(),
        ),
        _ => None,
    }
}
