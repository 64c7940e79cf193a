//! The members of a message's JSON that the service itself reads.
//!
//! A message is `{id, conversationId, ordinal, senderId|null, kind: "user"|"system", content|null,
//! clientMessageId?, replyToId?, createdAt, editedAt?, deletedAt?}`. PostgreSQL builds it
//! (`message_json` in the migrations), and the same bytes go to clients, cache and channels.

use serde::Deserialize;
use serde_json::Deserializer;

use crate::ids::{ConversationId, MessageId, Ordinal};

/// The members that say which message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageHead {
    /// The message.
    pub id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its position in the conversation.
    pub ordinal: Ordinal,
}

impl MessageHead {
    /// Reads the message that a text begins with; what comes behind it is not read.
    #[must_use]
    pub fn parse(json: &[u8]) -> Option<Self> {
        Deserializer::from_slice(json).into_iter().next()?.ok()
    }
}
