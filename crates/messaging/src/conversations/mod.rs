//! Conversations and who takes part in them.
//!
//! # Layout
//!
//! - `change`: creating, joining, leaving.
//! - `rights`: a conversation in cache and database, and who may read it.
//! - `list`: a user's conversations.
//! - `viewed`: statements about one conversation, for those who may see it.

mod change;
mod list;
mod rights;
mod viewed;

pub use change::{ConversationPatch, Created, MAX_PARTICIPANTS, change, create, join, leave};
pub use list::{Cursor, of_user};
pub(crate) use list::{FIRST_PAGE, NEXT_PAGE};
pub(crate) use rights::VISIBLE;
pub use rights::{Conversation, cached, drop_cached, is_visible, read, visible};
pub use viewed::Viewed;
pub(crate) use viewed::viewed;

use crate::Error;

/// 404 for a conversation, also one that is hidden from the caller.
#[must_use]
pub const fn not_found() -> Error {
    Error::NotFound("There is no such conversation.")
}
