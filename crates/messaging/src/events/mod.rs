//! Events: the form of a change, on channels, in streams and feeds, and on its way to clients.

mod head;
mod log;

use std::fmt::Write;

use platform::postgres::parameters::number;
use platform::postgres::{PgFailure, Row};

pub use head::EventHead;
pub use log::{LogCursor, committed_after};

use crate::conversations::{Viewed, viewed};
use crate::ids::{ConversationId, MessageId, Seq, UserId};
use crate::{Result, sealing};

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
    /// A conversation was created.
    ConversationCreated,
    /// A user now takes part.
    ParticipantJoined,
    /// A user no longer takes part.
    ParticipantLeft,
    /// A conversation's title or policies changed.
    ConversationChanged,
}

impl EventType {
    /// All types.
    pub const ALL: [Self; 8] = [
        Self::ConversationCreated,
        Self::NewMessage,
        Self::MessageEdited,
        Self::MessageDeleted,
        Self::MessageRead,
        Self::ParticipantJoined,
        Self::ParticipantLeft,
        Self::ConversationChanged,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewMessage => "new-message",
            Self::MessageEdited => "message-edited",
            Self::MessageDeleted => "message-deleted",
            Self::MessageRead => "message-read",
            Self::ConversationCreated => "conversation-created",
            Self::ParticipantJoined => "participant-joined",
            Self::ParticipantLeft => "participant-left",
            Self::ConversationChanged => "conversation-changed",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|event_type| event_type.name() == name)
    }
}

/// A durable change in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub event_type: EventType,
    /// Where.
    pub conversation: ConversationId,
    /// Its position among the conversation's events.
    pub seq: Seq,
    /// The message that it is about.
    pub message_id: Option<MessageId>,
    /// That message as JSON, for clients.
    pub message: Option<String>,
    /// The user who read, joined or left.
    pub user: Option<UserId>,
}

impl Event {
    /// One line of JSON for clients: `type`, `conversationId`, `seq`, and `message` and `userId`
    /// where the event has them.
    #[must_use]
    pub fn to_json(&self) -> String {
        let message = self.message.as_deref();
        let mut json = self.head(message.map_or(0, str::len));
        if let Some(message) = message {
            json.push_str(r#","message":"#);
            json.push_str(message);
        }
        self.close(json)
    }

    /// One line of JSON for streams and feeds in Redis: it says what happened where, and not what
    /// was written.
    #[must_use]
    pub fn to_reference(&self) -> String {
        let mut json = self.head(0);
        if let Some(message) = self.message_id {
            // Writing to a String cannot fail.
            let _ = write!(json, r#","messageId":{message}"#);
        }
        self.close(json)
    }

    fn head(&self, room: usize) -> String {
        let mut json = String::with_capacity(96 + room);
        json.push_str(r#"{"type":""#);
        json.push_str(self.event_type.name());
        let (conversation, seq) = (self.conversation, self.seq);
        let _ = write!(json, r#"","conversationId":{conversation},"seq":{seq}"#);
        json
    }

    fn close(&self, mut json: String) -> String {
        if let Some(user) = self.user {
            let _ = write!(json, r#","userId":{user}"#);
        }
        json.push('}');
        json
    }
}

/// The events of a conversation after a seq, oldest first, as the database has them at one moment.
#[derive(Debug)]
pub struct EventPage {
    /// The events, at most as many as were asked for.
    pub events: Vec<Event>,
    /// The seq of the conversation's newest event; 0 before the first.
    pub newest: i64,
    /// Whether the relay has yet to deliver some of the conversation's events.
    pub unrelayed: bool,
}

/// A page of a conversation's events with their messages.
pub(crate) const PAGE: Viewed = viewed!(
    "
        select c.event_seq, c.unrelayed,
            coalesce(array_agg(e.seq order by e.seq) filter (where e.seq is not null), '{}'),
            coalesce(array_agg(e.type::text order by e.seq) filter (where e.seq is not null), '{}'),
            coalesce(array_agg(e.message_id order by e.seq) filter (where e.seq is not null), '{}'),
            coalesce(array_agg(e.user_id order by e.seq) filter (where e.seq is not null), '{}'),
            coalesce(array_agg(e.message order by e.seq) filter (where e.seq is not null), '{}')
        from conversations c
        left join lateral (
            select e.seq, e.type, e.user_id, e.message_id, message_json(m) as message
            from events e left join messages m on m.id = e.message_id
            where e.conversation_id = c.id and e.seq > $2
            order by e.seq limit $3::bigint
        ) e on true
        where c.id = $1",
    "c.id",
    "$4",
    " group by c.id"
);

/// Reads the events after `seq`, at most `limit`; `None` if there is no such conversation or the
/// viewer may not see it. Without a viewer everything is seen. The messages are opened.
pub async fn page_after(
    conversation: ConversationId,
    viewer: Option<UserId>,
    seq: i64,
    limit: usize,
) -> Result<Option<EventPage>> {
    let parameters = vec![
        number(conversation.get()),
        number(seq),
        number(limit as i64),
    ];
    let keys = sealing::keys().await?;
    let Some(mut row) = PAGE.query_one(viewer, parameters).await? else {
        return Ok(None);
    };
    let (newest, unrelayed) = (row.take()?, row.take()?);
    let mut events = from_columns(conversation, &mut row)?;
    let messages: Vec<Option<String>> = row.take()?;
    for (event, message) in events.iter_mut().zip(messages) {
        event.message = message.map(|message| keys.open(message));
    }
    Ok(Some(EventPage {
        newest,
        events,
        unrelayed,
    }))
}

/// Reads events, without their messages, from four parallel arrays: seq, type, message id, user.
pub(crate) fn from_columns(
    conversation: ConversationId,
    row: &mut Row,
) -> Result<Vec<Event>, PgFailure> {
    let seqs: Vec<i64> = row.take()?;
    let types: Vec<String> = row.take()?;
    let messages: Vec<Option<i64>> = row.take()?;
    let users: Vec<Option<i64>> = row.take()?;
    let wrong = || PgFailure::Failed("an event's columns are not as they should be".into());
    let columns = seqs
        .into_iter()
        .zip(types)
        .zip(messages.into_iter().zip(users));
    columns
        .map(|((seq, name), (message, user))| {
            Ok(Event {
                event_type: EventType::from_name(&name).ok_or_else(wrong)?,
                conversation,
                seq: Seq::try_from(seq).map_err(|_| wrong())?,
                message_id: message.and_then(|id| MessageId::try_from(id).ok()),
                message: None,
                user: user.and_then(|id| UserId::try_from(id).ok()),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for event_type in EventType::ALL {
            assert_eq!(EventType::from_name(event_type.name()), Some(event_type));
        }
        assert_eq!(EventType::from_name("other"), None);
    }

    #[test]
    fn an_event_is_one_line_of_json() {
        let event = Event {
            event_type: EventType::MessageRead,
            message_id: MessageId::try_from(9).ok(),
            conversation: ConversationId::try_from(7).unwrap(),
            seq: Seq::try_from(3).unwrap(),
            message: Some(r#"{"id":9}"#.into()),
            user: Some(UserId::try_from(2).unwrap()),
        };
        assert_eq!(
            event.to_json(),
            r#"{"type":"message-read","conversationId":7,"seq":3,"message":{"id":9},"userId":2}"#
        );
        assert_eq!(
            event.to_reference(),
            r#"{"type":"message-read","conversationId":7,"seq":3,"messageId":9,"userId":2}"#
        );
    }
}
