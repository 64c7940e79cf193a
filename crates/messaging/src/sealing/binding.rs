//! What a sealed text belongs to: moved to another place, it does not open.

use crate::ids::{ConversationId, UserId};

/// What a sealed text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// The content of a message: its conversation and its sender, none for the system.
    Content(ConversationId, Option<UserId>),
    /// The title of a conversation.
    Title(ConversationId),
    /// An answer of the assistant about a conversation.
    Answer(ConversationId),
    /// The digest of a request.
    Digest,
}

impl Binding {
    /// The associated data: a kind and two numbers, of which none is an id where there is no id.
    pub(super) fn to_bytes(self) -> [u8; 17] {
        let (kind, conversation, user) = match self {
            Self::Content(conversation, sender) => {
                (1, conversation.get(), sender.map_or(0, UserId::get))
            }
            Self::Title(conversation) => (2, conversation.get(), 0),
            Self::Digest => (3, 0, 0),
            Self::Answer(conversation) => (4, conversation.get(), 0),
        };
        let mut bytes = [kind; 17];
        bytes[1..9].copy_from_slice(&conversation.to_be_bytes());
        bytes[9..].copy_from_slice(&user.to_be_bytes());
        bytes
    }
}
