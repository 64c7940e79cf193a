//! Conversations and who takes part in them.

use serde::Deserialize;

use crate::content::Title;
use crate::events::{Event, EventType};
use crate::ids::{ConversationId, UserId};
use platform::postgres::parameters::{number, numbers, optional_number, optional_text};
use platform::postgres::{Repeat, Row, query, query_one};
use platform::redis::RedisError;

use crate::{Error, RedisService, Result, cache, keys};

/// The most participants of one conversation. Each event goes to each of them.
pub const MAX_PARTICIPANTS: usize = 500;

/// A conversation as the cache and the database give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The JSON for clients.
    pub json: String,
    participants: Vec<UserId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Participants {
    participant_ids: Vec<UserId>,
}

impl Conversation {
    fn parse(json: String) -> Option<Self> {
        let Participants { participant_ids } = serde_json::from_str(&json).ok()?;
        Some(Self {
            json,
            participants: participant_ids,
        })
    }

    /// Whether the viewer may see it: a participant, or a service.
    #[must_use]
    pub fn is_visible_to(&self, viewer: Option<UserId>) -> bool {
        viewer.is_none_or(|viewer| self.participants.contains(&viewer))
    }

    /// Who takes part.
    #[must_use]
    pub fn participants(&self) -> &[UserId] {
        &self.participants
    }
}

/// 404 for a conversation, also one that is hidden from the caller.
#[must_use]
pub const fn not_found() -> Error {
    Error::NotFound("There is no such conversation.")
}

/// What the cache holds of a conversation.
pub async fn cached(id: ConversationId) -> Result<Option<Conversation>, RedisError> {
    let json = RedisService::optional()
        .get(&keys::conversation(id))
        .await?;
    Ok(json
        .and_then(|json| String::from_utf8(json).ok())
        .and_then(Conversation::parse))
}

/// A conversation from the database, unless it is not there.
pub async fn read(id: ConversationId) -> Result<Option<Conversation>> {
    Ok(read_json(id).await?.and_then(Conversation::parse))
}

async fn read_json(id: ConversationId) -> Result<Option<String>> {
    const READ: &str = "select conversation_json(c) from conversations c where c.id = $1";
    let row = query_one(Repeat::Safe, READ, vec![number(id.get())]).await?;
    Ok(row.map(|mut row| row.take()).transpose()?)
}

/// A conversation that the viewer may see, or 404: from the cache, else from
/// the database, and then cached for the next reader.
///
/// A cached "no" is not believed: the viewer may have just joined.
pub async fn visible(id: ConversationId, viewer: Option<UserId>) -> Result<Conversation> {
    if let Ok(Some(conversation)) = cached(id).await
        && conversation.is_visible_to(viewer)
    {
        return Ok(conversation);
    }
    let conversation = read(id).await?.filter(|found| found.is_visible_to(viewer));
    let conversation = conversation.ok_or(not_found())?;
    fill(id, &conversation).await;
    Ok(conversation)
}

/// Caches a conversation that was read from the database.
pub async fn fill(id: ConversationId, conversation: &Conversation) {
    let Ok(ttl) = cache::conversation_ttl().await else {
        return;
    };
    let key = keys::conversation(id);
    // Redis may be away; the next reader tries again.
    let _ = cache::fill_value(&key, &conversation.json, ttl, read_json(id)).await;
}

/// Whether the database has the conversation and the viewer may see it.
pub async fn is_visible(id: ConversationId, viewer: Option<UserId>) -> Result<bool> {
    const VISIBLE: &str = "
        select 1::bigint from conversations c
        where c.id = $1 and ($2::bigint is null or exists (
            select from participants p where p.conversation_id = c.id and p.user_id = $2))";
    let parameters = vec![number(id.get()), optional_number(viewer.map(UserId::get))];
    Ok(query_one(Repeat::Safe, VISIBLE, parameters)
        .await?
        .is_some())
}

/// Writes a new conversation; its id and JSON.
pub async fn create(
    title: Option<Title>,
    participants: &[UserId],
) -> Result<(ConversationId, Conversation)> {
    const CREATE: &str = "
        with conversation as (
            insert into conversations (title) values ($1::text) returning id
        ), people as (
            insert into participants (conversation_id, user_id)
            select c.id, u.id from conversation c, unnest($2::bigint[]) as u (id)
        )
        select id from conversation";
    let people = numbers(participants.iter().map(|user| user.get()));
    let parameters = vec![optional_text(title.map(Title::into_string)), people];
    let row = query_one(Repeat::Unsafe, CREATE, parameters).await?;
    let id = row
        .ok_or_else(|| Error::internal("no conversation was created"))?
        .take()?;
    let conversation = read(id).await?.ok_or(not_found())?;
    Ok((id, conversation))
}

/// Where a page of a user's conversations begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    last_activity_ms: i64,
    id: ConversationId,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.last_activity_ms, self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (ms, id) = text.split_once('-')?;
            let last_activity_ms = ms
                .parse()
                .ok()
                .filter(|ms| (0..=crate::ids::MAX_ID).contains(ms))?;
            Some(Self {
                last_activity_ms,
                id: id.parse().ok()?,
            })
        };
        parse().ok_or("is not a cursor of this list")
    }
}

/// A page of a user's conversations as JSON, most recently active first, and
/// the cursor of the next page if there is one.
pub async fn of_user(
    user: UserId,
    after: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<String>, Option<Cursor>)> {
    const OF_USER: &str = r#"
        select left(conversation_json(c), -1)
                || ',"lastActivityAt":"' || rfc3339(c.last_activity_at)
                || '","lastMessage":' || coalesce((
                    select message_json(m) from messages m
                    where m.conversation_id = c.id and m.ordinal = c.message_count), 'null')
                || ',"unreadCount":' || u.count || '}',
            (extract(epoch from c.last_activity_at) * 1000)::bigint, c.id
        from unread u join conversations c on c.id = u.conversation_id
        where u.user_id = $1 and ($2::bigint is null
            or (c.last_activity_at, c.id) < (timestamptz 'epoch' + $2 * interval '1 millisecond', $3::bigint))
        order by c.last_activity_at desc, c.id desc
        limit $4::bigint"#;
    let parameters = vec![
        number(user.get()),
        optional_number(after.map(|cursor| cursor.last_activity_ms)),
        optional_number(after.map(|cursor| cursor.id.get())),
        number(limit as i64 + 1),
    ];
    let rows = query(Repeat::Safe, OF_USER, parameters).await?;
    let mut page = rows.into_iter().map(entry).collect::<Result<Vec<_>>>()?;
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|(_, cursor)| *cursor);
    Ok((page.into_iter().map(|(json, _)| json).collect(), next))
}

fn entry(mut row: Row) -> Result<(String, Cursor)> {
    let json = row.take()?;
    let cursor = Cursor {
        last_activity_ms: row.take()?,
        id: row.take()?,
    };
    Ok((json, cursor))
}

/// Adds a participant; the event, or `None` if they take part already. Only
/// for a participant, or a service.
pub async fn join(
    id: ConversationId,
    user: UserId,
    caller: Option<UserId>,
) -> Result<Option<Event>> {
    // Who comes back has read what they had read before.
    const JOIN: &str = "
        with conversation as (
            update conversations c set event_seq = c.event_seq + 1
            where c.id = $1
              and ($3::bigint is null or exists (
                  select from participants p where p.conversation_id = $1 and p.user_id = $3))
              and not exists (
                  select from participants p where p.conversation_id = $1 and p.user_id = $2)
              and (select count(*) from participants p where p.conversation_id = $1) < $4::bigint
            returning c.id, c.event_seq
        ), participant as (
            insert into participants (conversation_id, user_id, last_read_ordinal, sent_after_read)
            select c.id, $2::bigint, r.ordinal, (
                select count(*) from messages m
                where m.conversation_id = $1 and m.ordinal > r.ordinal and m.sender_id = $2)
            from conversation c, (
                select coalesce(max(ordinal), 0) as ordinal from reads
                where conversation_id = $1 and user_id = $2) r
            on conflict on constraint participants_pkey do nothing
        ), event as (
            insert into events (conversation_id, seq, type, user_id)
            select c.id, c.event_seq, 'participant-joined', $2::bigint from conversation c
        )
        select event_seq from conversation";
    let parameters = vec![
        number(id.get()),
        number(user.get()),
        optional_number(caller.map(UserId::get)),
        number(MAX_PARTICIPANTS as i64),
    ];
    if let Some(mut row) = query_one(Repeat::Safe, JOIN, parameters).await? {
        let (kind, user) = (EventType::ParticipantJoined, Some(user));
        return Ok(Some(Event {
            kind,
            conversation: id,
            seq: row.take()?,
            message: None,
            user,
        }));
    }
    let conversation = read(id).await?.filter(|found| found.is_visible_to(caller));
    let conversation = conversation.ok_or(not_found())?;
    if conversation.participants.contains(&user) {
        return Ok(None);
    }
    Err(Error::invalid(
        "userId",
        format!("a conversation has at most {MAX_PARTICIPANTS} participants"),
    ))
}

/// Removes a participant; the event, or `None` if they did not take part. Only
/// for the participant, or a service.
pub async fn leave(id: ConversationId, user: UserId) -> Result<Option<Event>> {
    const LEAVE: &str = "
        with conversation as (
            update conversations c set event_seq = c.event_seq + 1
            where c.id = $1 and exists (
                select from participants p where p.conversation_id = $1 and p.user_id = $2)
            returning c.id, c.event_seq
        ), participant as (
            delete from participants p using conversation c
            where p.conversation_id = c.id and p.user_id = $2
        ), event as (
            insert into events (conversation_id, seq, type, user_id)
            select c.id, c.event_seq, 'participant-left', $2::bigint from conversation c
        )
        select event_seq from conversation";
    let row = query_one(
        Repeat::Safe,
        LEAVE,
        vec![number(id.get()), number(user.get())],
    )
    .await?;
    row.map(|mut row| {
        let (kind, user) = (EventType::ParticipantLeft, Some(user));
        Ok(Event {
            kind,
            conversation: id,
            seq: row.take()?,
            message: None,
            user,
        })
    })
    .transpose()
}

/// Shares a committed change of participants: drops the cached conversation
/// and announces the event, in one round trip.
pub async fn share(event: &Event) {
    cache::share_event(event, vec![keys::conversation(event.conversation)]).await;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_survives_its_text(ms in 0..=crate::ids::MAX_ID, id in 1..=crate::ids::MAX_ID) {
            let cursor = Cursor { last_activity_ms: ms, id: ConversationId::try_from(id).unwrap() };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in "\\PC*") {
            let _ = text.parse::<Cursor>();
        }
    }

    #[test]
    fn only_participants_and_services_see_a_conversation() {
        let conversation =
            Conversation::parse(r#"{"id":1,"participantIds":[1,2]}"#.into()).unwrap();
        let user = |id| Some(UserId::try_from(id).unwrap());
        assert!(conversation.is_visible_to(user(2)));
        assert!(!conversation.is_visible_to(user(3)));
        assert!(conversation.is_visible_to(None));
    }
}
