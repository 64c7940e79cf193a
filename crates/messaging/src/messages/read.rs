//! Reading: the newest messages, pages, and single messages.

use platform::postgres::parameters::number;
use platform::postgres::{Repeat, query, query_one};

use super::list_cache::{self, LIST_MAX};
use super::not_found;
use crate::conversations::{Viewed, viewed};
use crate::ids::{ConversationId, MessageId, Ordinal, UserId};
use crate::{RedisService, Result, cache, conversations};

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

// Ordinals have no gap, so the newest messages and a page are ranges of them. By an order and a limit
// PostgreSQL sometimes sorted all messages of the conversation, and without the `limit 1` it sometimes
// went through them for the one that a page begins at.

/// The newest messages of a conversation.
pub(crate) const NEWEST: Viewed = viewed!(
    "
        select c.list_seq, array(
                select message_json(m) from messages m
                where m.conversation_id = c.id and m.ordinal > c.message_count - $2::bigint
                order by m.ordinal desc),
            c.unrelayed
        from conversations c
        where c.id = $1",
    "c.id",
    "$3"
);

/// The newest messages, unless the conversation is hidden from the viewer.
pub async fn newest(conversation: ConversationId, viewer: Option<UserId>) -> Result<Newest> {
    let parameters = vec![number(conversation.get()), number(LIST_MAX as i64)];
    let row = NEWEST.query_one(viewer, parameters).await?;
    let mut row = row.ok_or(conversations::not_found())?;
    let list_seq = row.take()?;
    let mut messages: Vec<String> = row.take()?;
    messages.reverse();
    let unrelayed = row.take()?;
    Ok(Newest {
        list_seq,
        messages,
        unrelayed,
    })
}

/// Caches the newest messages for the next reader.
pub async fn fill_list(conversation: ConversationId, newest: &Newest) -> Result<()> {
    let redis = RedisService::optional();
    if newest.messages.is_empty() {
        return Ok(());
    }
    let epoch = cache::epoch().await?;
    let fill = list_cache::fill(redis, &epoch, conversation, &newest.messages).await?;
    let Some(fill) = fill else {
        return Ok(());
    };
    // A write in between made the list out of date, and may not have seen it.
    if list_seq(conversation).await? == Some(newest.list_seq) {
        let ttl = cache::message_ttl().await?;
        list_cache::confirm(redis, &epoch, conversation, &fill, ttl).await?;
    } else {
        list_cache::drop_list(redis, conversation).await?;
    }
    Ok(())
}

/// The seq of the event that last changed a conversation's list of messages.
async fn list_seq(conversation: ConversationId) -> Result<Option<i64>> {
    const LIST_SEQ: &str = "select list_seq from conversations where id = $1";
    let row = query_one(Repeat::Safe, LIST_SEQ, vec![number(conversation.get())]).await?;
    Ok(row.map(|mut row| row.take()).transpose()?)
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageAnchor {
    /// The messages just before it.
    Before(MessageId),
    /// The messages just after it.
    After(MessageId),
}

/// The page before a message.
pub(crate) const BEFORE: Viewed = viewed!(
    "
        select (
            select '[' || coalesce(string_agg(message_json(m), ',' order by m.ordinal), '') || ']'
            from messages m
            where m.conversation_id = c.id
              and m.ordinal < a.ordinal and m.ordinal >= a.ordinal - $3::bigint)
        from conversations c
        cross join lateral (
            select m.ordinal, m.conversation_id from messages m where m.id = $2 limit 1
        ) a
        where c.id = $1 and a.conversation_id = c.id",
    "c.id",
    "$4"
);

/// The page after a message.
pub(crate) const AFTER: Viewed = viewed!(
    "
        select (
            select '[' || coalesce(string_agg(message_json(m), ',' order by m.ordinal), '') || ']'
            from messages m
            where m.conversation_id = c.id
              and m.ordinal > a.ordinal and m.ordinal <= a.ordinal + $3::bigint)
        from conversations c
        cross join lateral (
            select m.ordinal, m.conversation_id from messages m where m.id = $2 limit 1
        ) a
        where c.id = $1 and a.conversation_id = c.id",
    "c.id",
    "$4"
);

/// The page before or after a message as one JSON array, oldest first, unless
/// the conversation is hidden from the viewer.
pub async fn page(
    conversation: ConversationId,
    viewer: Option<UserId>,
    anchor: PageAnchor,
    limit: usize,
) -> Result<String> {
    let (statement, message) = match anchor {
        PageAnchor::Before(id) => (BEFORE, id),
        PageAnchor::After(id) => (AFTER, id),
    };
    let parameters = vec![
        number(conversation.get()),
        number(message.get()),
        number(limit as i64),
    ];
    if let Some(mut row) = statement.query_one(viewer, parameters).await? {
        return Ok(row.take()?);
    }
    let visible = conversations::is_visible(conversation, viewer).await?;
    Err(if visible {
        not_found()
    } else {
        conversations::not_found()
    })
}

/// The messages after an ordinal up to another one, at most as many as a cached list holds.
pub async fn between(
    conversation: ConversationId,
    after: i64,
    last: Ordinal,
) -> Result<Vec<(Ordinal, String)>> {
    const BETWEEN: &str = "
        select m.ordinal, message_json(m) from messages m
        where m.conversation_id = $1 and m.ordinal > $2 and m.ordinal <= $3
        order by m.ordinal limit $4";
    let parameters = vec![
        number(conversation.get()),
        number(after),
        number(last.get()),
        number(LIST_MAX as i64),
    ];
    let rows = query(Repeat::Safe, BETWEEN, parameters).await?;
    rows.into_iter()
        .map(|mut row| Ok((row.take()?, row.take()?)))
        .collect()
}

/// How many messages there are, deleted ones included.
pub async fn count_written() -> Result<i64> {
    const WRITTEN: &str = "select coalesce(sum(message_count), 0)::bigint from conversations";
    let row = query_one(Repeat::Safe, WRITTEN, vec![]).await?;
    Ok(row.map_or(Ok(0), |mut row| row.take())?)
}

/// One message.
pub(crate) const FIND: Viewed = viewed!(
    "select message_json(m) from messages m where m.id = $1",
    "m.conversation_id",
    "$2"
);

/// A message as JSON, unless its conversation is hidden from the viewer.
pub async fn find(id: MessageId, viewer: Option<UserId>) -> Result<Option<String>> {
    let row = FIND.query_one(viewer, vec![number(id.get())]).await?;
    Ok(row.map(|mut row| row.take()).transpose()?)
}
