//! The members of an event that decide where it goes; the rest is for the client.

use std::borrow::Cow;

use serde::Deserialize;

use super::EventType;
use crate::ids::{ConversationId, MessageId, UserId};

/// The members of an event that decide where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventHead<'a> {
    /// The event's name on the wire.
    #[serde(borrow, rename = "type")]
    pub name: Cow<'a, str>,
    /// Where it happened, unless it concerns a person only.
    pub conversation_id: Option<ConversationId>,
    /// Its position among the conversation's events, if it is durable.
    pub seq: Option<i64>,
    /// The message that it is about, in a reference.
    pub message_id: Option<MessageId>,
    /// The user who read, joined, left, types, or is online.
    pub user_id: Option<UserId>,
}

impl<'a> EventHead<'a> {
    /// Reads it from an event's JSON; `None` if that is no event.
    pub fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// Whether it is of this type and about this user.
    pub fn is(&self, event_type: EventType, user: UserId) -> bool {
        self.name == event_type.name() && self.user_id == Some(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_have_a_head() {
        let head = EventHead::parse(
            r#"{"type":"message-read","conversationId":7,"seq":3,"message":{"id":9},"userId":2}"#,
        );
        let head = head.unwrap();
        assert_eq!(
            (head.seq, head.conversation_id),
            (Some(3), Some("7".parse().unwrap()))
        );
        assert!(head.is(EventType::MessageRead, "2".parse().unwrap()));
        assert_eq!(
            EventHead::parse(r#"{"type":"online","userId":2}"#)
                .unwrap()
                .seq,
            None
        );
        assert_eq!(EventHead::parse("{}"), None);
        assert_eq!(EventHead::parse("x"), None);
    }
}
