//! What a proxy is sent: as items of the protocol, and as a field of the backlog while it takes none.

use std::fmt;
use std::str::FromStr;

use platform::grip::{Content, Item};

use crate::events::{EventHead, EventType};
use crate::feeds::{self, FeedEvent};
use crate::gateway::{Channel, Notice};
use crate::ids::{ConversationId, UserId};

/// Sockets close with it: the right to them ended.
const UNAUTHORIZED: u16 = 4401;

/// Readers of events with ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A user's sockets.
    Sockets(UserId),
    /// Event streams of a user's feed.
    Feed(UserId),
    /// Event streams of a conversation.
    Conversation(ConversationId),
}

/// What a proxy is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// An event. Its JSON is empty where readers may not see it: then streams get its id only.
    Event(Target, FeedEvent),
    /// What is not durable, for streams of a conversation.
    Signal(ConversationId, String),
    /// A notice.
    Notice(Notice),
}

/// What waits in a backlog: a target, behind a position; or a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// Events for a target.
    Events(Target),
    /// A notice.
    Notice(Notice),
}

impl Outgoing {
    /// About how many bytes it has.
    pub fn len(&self) -> usize {
        match self {
            Self::Event(_, event) => event.json.len(),
            Self::Signal(_, event) => event.len(),
            Self::Notice(_) => 0,
        }
    }

    /// The field of the backlog, and its value; none of what is for now or never.
    pub fn field(&self) -> Option<(String, String)> {
        match self {
            Self::Event(target, event) => {
                let field = Waiting::Events(*target).to_string();
                Some((field, event.previous.clone()))
            }
            Self::Signal(..) => None,
            Self::Notice(notice) => {
                let field = Waiting::Notice(notice.clone()).to_string();
                Some((field, String::new()))
            }
        }
    }

    /// As items of the protocol.
    pub fn items(&self) -> Vec<Item> {
        match self {
            Self::Event(target, event) => items(*target, event),
            Self::Signal(id, event) => {
                let text = feeds::sse(None, event).to_string();
                let content = Content::Chunk {
                    text,
                    previous: None,
                };
                vec![item(Channel::Signals(*id), None, content)]
            }
            Self::Notice(Notice::Check(channel)) => {
                vec![item(channel, None, Content::Check)]
            }
            Self::Notice(Notice::Close(channel)) => {
                vec![item(channel, None, Content::Close(UNAUTHORIZED))]
            }
        }
    }
}

fn items(target: Target, event: &FeedEvent) -> Vec<Item> {
    let id = || Some(event.id.clone());
    let chunk = || Content::Chunk {
        text: chunk(event),
        previous: Some(event.previous.clone()),
    };
    match target {
        Target::Sockets(user) => {
            let frame = Content::Frame(event.to_frame());
            vec![item(Channel::Sockets(user), id(), frame)]
        }
        Target::Feed(user) => vec![item(Channel::Feed(user), id(), chunk())],
        Target::Conversation(conversation) => {
            let published = item(Channel::Conversation(conversation), id(), chunk());
            // Their streams get nothing of later.
            let left = user_who_left(&event.json).map(Channel::Streams);
            let check = left.map(|channel| item(channel, None, Content::Check));
            [published].into_iter().chain(check).collect()
        }
    }
}

fn user_who_left(event: &str) -> Option<UserId> {
    let head = EventHead::parse(event)?;
    let left = head.name == EventType::ParticipantLeft.name();
    head.user_id.filter(|_| left)
}

fn chunk(event: &FeedEvent) -> String {
    if event.json.is_empty() {
        return String::new();
    }
    event.to_sse().to_string()
}

fn item(channel: impl fmt::Display, id: Option<String>, content: Content) -> Item {
    Item {
        channel: channel.to_string(),
        id,
        content,
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events(Target::Sockets(user)) => write!(f, "{user}"),
            Self::Events(Target::Feed(user)) => write!(f, "feed {user}"),
            Self::Events(Target::Conversation(id)) => write!(f, "conversation {id}"),
            Self::Notice(notice) => write!(f, "{notice}"),
        }
    }
}

/// What is no field of a backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidField;

impl FromStr for Waiting {
    type Err = InvalidField;

    fn from_str(field: &str) -> Result<Self, InvalidField> {
        let target = match field.split_once(' ') {
            None => field.parse().ok().map(Target::Sockets),
            Some(("feed", user)) => user.parse().ok().map(Target::Feed),
            Some(("conversation", id)) => id.parse().ok().map(Target::Conversation),
            Some(_) => None,
        };
        let notice = || field.parse().ok().map(Self::Notice);
        let waiting = target.map(Self::Events).or_else(notice);
        waiting.ok_or(InvalidField)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_back() {
        let (user, conversation) = ("7".parse().unwrap(), "8".parse().unwrap());
        for waiting in [
            Waiting::Events(Target::Sockets(user)),
            Waiting::Events(Target::Feed(user)),
            Waiting::Events(Target::Conversation(conversation)),
            Waiting::Notice(Notice::Check("streams-7".into())),
        ] {
            assert_eq!(waiting.to_string().parse(), Ok(waiting));
        }
        for other in ["", "x", "feed x", "later 7"] {
            assert_eq!(other.parse::<Waiting>(), Err(InvalidField));
        }
    }

    fn event(json: &str) -> FeedEvent {
        FeedEvent {
            id: "5".into(),
            previous: "4".into(),
            json: json.into(),
        }
    }

    #[test]
    fn the_streams_of_a_user_who_left_are_checked_behind_the_leaving() {
        let target = Target::Conversation("8".parse().unwrap());
        let left = r#"{"type":"participant-left","conversationId":8,"seq":5,"userId":7}"#;
        let items = Outgoing::Event(target, event(left)).items();
        let channels: Vec<&str> = items.iter().map(|item| &*item.channel).collect();
        assert_eq!(channels, ["conversation-8", "streams-7"]);
        assert_eq!(items[1].content, Content::Check);
        let read = r#"{"type":"message-read","conversationId":8,"seq":5,"userId":7}"#;
        assert_eq!(Outgoing::Event(target, event(read)).items().len(), 1);
    }

    #[test]
    fn of_what_readers_may_not_see_streams_get_the_id() {
        let target = Target::Feed("7".parse().unwrap());
        let items = Outgoing::Event(target, event("")).items();
        let content = Content::Chunk {
            text: String::new(),
            previous: Some("4".into()),
        };
        assert_eq!(items[0].content, content);
        assert_eq!(items[0].id.as_deref(), Some("5"));
    }
}
