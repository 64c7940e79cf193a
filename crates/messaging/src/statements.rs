//! The statements that find a few rows among many: a test looks at their plans where the statistics
//! are skewed.

use crate::conversations::Viewed;
use crate::{conversations, events, feeds, messages, receipts};

/// By name, those about one conversation.
pub const VIEWED: [(&str, Viewed); 7] = [
    ("the newest messages", messages::NEWEST),
    ("the page before a message", messages::BEFORE),
    ("the page after a message", messages::AFTER),
    ("a message", messages::FIND),
    ("whether a conversation is visible", conversations::VISIBLE),
    ("the receipts of a message", receipts::OF_MESSAGE),
    ("a page of events", events::PAGE),
];

/// By name, those about a user.
pub const OF_USER: [(&str, &str); 5] = [
    ("a user's conversations", conversations::FIRST_PAGE),
    (
        "a later page of a user's conversations",
        conversations::NEXT_PAGE,
    ),
    ("what is unread in all", receipts::UNREAD_OF),
    ("the events of a feed", feeds::EVENTS_OF_USER),
    ("memberships", feeds::MEMBERSHIPS),
];
