//! The statements that find a few rows among many: a test looks at their plans where the statistics
//! are skewed.

use crate::conversations::Viewed;
use crate::{conversations, events, feeds, messages, receipts, search};

/// By name, those about one conversation.
pub const VIEWED: [(&str, Viewed); 9] = [
    ("the newest messages", messages::NEWEST),
    ("the page before a message", messages::BEFORE),
    ("the page after a message", messages::AFTER),
    ("a message", messages::FIND),
    ("whether a conversation is visible", conversations::VISIBLE),
    ("the receipts of a message", receipts::OF_MESSAGE),
    ("a page of events", events::PAGE),
    (
        "the relevant messages of a conversation",
        search::BY_RELEVANCE_IN_CONVERSATION,
    ),
    (
        "the newest found in a conversation",
        search::NEWEST_IN_CONVERSATION,
    ),
];

/// By name, those about a user.
pub const OF_USER: [(&str, &str); 7] = [
    ("a user's conversations", conversations::FIRST_PAGE),
    (
        "a later page of a user's conversations",
        conversations::NEXT_PAGE,
    ),
    ("what is unread in all", receipts::UNREAD_OF),
    ("the events of a feed", feeds::EVENTS_OF_USER),
    ("memberships", feeds::MEMBERSHIPS),
    ("a user's relevant messages", search::BY_RELEVANCE_OF_USER),
    ("the newest found of a user", search::NEWEST_OF_USER),
];
