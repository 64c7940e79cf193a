//! Events: the form of a change, on channels, streams and feeds alike.

mod head;

use std::fmt::Write;

use futures::join;

use crate::Result;
use crate::ids::{ConversationId, MessageId, Seq, UserId};
use platform::postgres::parameters::{number, optional_number};
use platform::postgres::{PgFailure, Repeat, Row, query_one};
use platform::redis::RedisError;

pub use head::EventHead;

use crate::{RedisService, keys, relay};

/// What happened. The names are those of the database and of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// A message was posted, by a user or by the system.
    NewMessage,
    /// Its sender changed a message's content.
    MessageEdited,
    /// A message became a tombstone.
    MessageDeleted,
    /// A user read a message, and with it all before it.
    MessageRead,
    /// A user now takes part.
    ParticipantJoined,
    /// A user no longer takes part.
    ParticipantLeft,
}

impl EventType {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::NewMessage,
        Self::MessageEdited,
        Self::MessageDeleted,
        Self::MessageRead,
        Self::ParticipantJoined,
        Self::ParticipantLeft,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewMessage => "new-message",
            Self::MessageEdited => "message-edited",
            Self::MessageDeleted => "message-deleted",
            Self::MessageRead => "message-read",
            Self::ParticipantJoined => "participant-joined",
            Self::ParticipantLeft => "participant-left",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A durable change in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventType,
    /// Where.
    pub conversation: ConversationId,
    /// Its position among the conversation's events.
    pub seq: Seq,
    /// The message that it is about, as JSON.
    pub message: Option<String>,
    /// Who read, joined or left.
    pub user: Option<UserId>,
}

impl Event {
    /// One line of JSON: `type`, `conversationId`, `seq`, and `message` and
    /// `userId` where the event has them.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self {
            kind,
            conversation,
            seq,
            message,
            user,
        } = self;
        let message = message.as_deref();
        let mut json = String::with_capacity(96 + message.map_or(0, str::len));
        json.push_str(r#"{"type":""#);
        json.push_str(kind.name());
        // Writing to a String cannot fail.
        let _ = write!(json, r#"","conversationId":{conversation},"seq":{seq}"#);
        if let Some(message) = message {
            json.push_str(r#","message":"#);
            json.push_str(message);
        }
        if let Some(user) = user {
            let _ = write!(json, r#","userId":{user}"#);
        }
        json.push('}');
        json
    }

    /// Publishes the event on its conversation's channel and wakes the relay.
    pub async fn announce(&self, redis: RedisService) -> Result<(), RedisError> {
        let channel = keys::messages_channel(self.conversation);
        let json = self.to_json();
        let published = redis.publish(&channel, json.as_bytes());
        let (published, woken) = join!(published, relay::wake_up(redis));
        published.and(woken.map(|()| 0)).map(|_| ())
    }
}

/// The events of a conversation after a seq, oldest first, as the database has
/// them at one moment.
#[derive(Debug)]
pub struct EventPage {
    /// The events, at most as many as were asked for.
    pub events: Vec<Event>,
    /// The seq of the conversation's newest event; 0 before the first.
    pub newest: i64,
    /// Whether the relay has yet to deliver some of the conversation's events.
    pub unrelayed: bool,
}

/// Reads the events after `seq`, at most `limit`; `None` if there is no such
/// conversation or the viewer may not see it. Without a viewer everything is seen.
pub async fn page_after(
    conversation: ConversationId,
    viewer: Option<UserId>,
    seq: i64,
    limit: usize,
) -> Result<Option<EventPage>> {
    const SINCE: &str = "
        select c.event_seq, c.unrelayed,
            coalesce(array_agg(e.seq order by e.seq) filter (where e.seq is not null), '{}'),
            coalesce(array_agg(e.type::text order by e.seq) filter (where e.seq is not null), '{}'),
            coalesce(array_agg(e.message order by e.seq) filter (where e.seq is not null), '{}'),
            coalesce(array_agg(e.user_id order by e.seq) filter (where e.seq is not null), '{}')
        from conversations c
        left join lateral (
            select e.seq, e.type, e.user_id, message_json(m) as message
            from events e left join messages m on m.id = e.message_id
            where e.conversation_id = c.id and e.seq > $2
            order by e.seq limit $3::bigint
        ) e on true
        where c.id = $1 and ($4::bigint is null or exists (
            select from participants p where p.conversation_id = c.id and p.user_id = $4))
        group by c.id";
    let parameters = vec![
        number(conversation.get()),
        number(seq),
        number(limit as i64),
        optional_number(viewer.map(UserId::get)),
    ];
    let Some(mut row) = query_one(Repeat::Safe, SINCE, parameters).await? else {
        return Ok(None);
    };
    let (newest, unrelayed) = (row.take()?, row.take()?);
    Ok(Some(EventPage {
        newest,
        events: from_columns(conversation, &mut row)?,
        unrelayed,
    }))
}

/// Reads events from four parallel arrays: seq, type, message, user.
pub(crate) fn from_columns(
    conversation: ConversationId,
    row: &mut Row,
) -> Result<Vec<Event>, PgFailure> {
    let seqs: Vec<i64> = row.take()?;
    let types: Vec<String> = row.take()?;
    let messages: Vec<Option<String>> = row.take()?;
    let users: Vec<Option<i64>> = row.take()?;
    let wrong = || PgFailure::Failed("an event's columns are not as they should be".into());
    let columns = seqs
        .into_iter()
        .zip(types)
        .zip(messages.into_iter().zip(users));
    columns
        .map(|((seq, name), (message, user))| {
            let kind = EventType::from_name(&name).ok_or_else(wrong)?;
            let seq = Seq::try_from(seq).map_err(|_| wrong())?;
            let user = user
                .map(UserId::try_from)
                .transpose()
                .map_err(|_| wrong())?;
            Ok(Event {
                kind,
                conversation,
                seq,
                message,
                user,
            })
        })
        .collect()
}

/// A change to one message, with what its sharing needs.
#[derive(Debug, Clone)]
pub struct MessageChange {
    /// The message.
    pub id: MessageId,
    /// The event that was written with it.
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for kind in EventType::ALL {
            assert_eq!(EventType::from_name(kind.name()), Some(kind));
        }
        assert_eq!(EventType::from_name("other"), None);
    }

    #[test]
    fn an_event_is_one_line_of_json() {
        let event = Event {
            kind: EventType::MessageRead,
            conversation: ConversationId::try_from(7).unwrap(),
            seq: Seq::try_from(3).unwrap(),
            message: Some(r#"{"id":9}"#.into()),
            user: Some(UserId::try_from(2).unwrap()),
        };
        assert_eq!(
            event.to_json(),
            r#"{"type":"message-read","conversationId":7,"seq":3,"message":{"id":9},"userId":2}"#
        );
    }
}
