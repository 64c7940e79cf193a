//! The channels of the proxy: to what the relay publishes.

use std::fmt;

use crate::ids::{ConversationId, UserId};

/// A channel. What a connection may get is decided when it subscribes; who may see an event, when it is
/// published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// A user's sockets.
    Sockets(UserId),
    /// Event streams of a user's feed.
    Feed(UserId),
    /// Event streams of a conversation.
    Conversation(ConversationId),
    /// What is not durable, on the same streams: it has no place among the ids.
    Signals(ConversationId),
    /// The streams that a user opened, of whatever, so that their right is checked.
    Streams(UserId),
    /// All sockets and streams.
    Everyone,
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sockets(user) => write!(f, "user-{user}"),
            Self::Feed(user) => write!(f, "feed-{user}"),
            Self::Conversation(id) => write!(f, "conversation-{id}"),
            Self::Signals(id) => write!(f, "signals-{id}"),
            Self::Streams(user) => write!(f, "streams-{user}"),
            Self::Everyone => f.write_str("everyone"),
        }
    }
}
