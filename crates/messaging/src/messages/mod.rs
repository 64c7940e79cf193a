//! Messages: their statements, the rows that these return, and the cache of them.
//!
//! # Layout
//!
//! - [`mod@post`]: new messages, batched. `change`: edits and deletions. `read`: pages.
//! - [`list_cache`]: the cached list of a conversation's newest messages.
//! - [`MessageHead`]: what the service reads of a message's JSON.

mod change;
mod head;
pub mod list_cache;
mod post;
mod read;

pub use change::{delete, edit};
pub use head::MessageHead;
pub use post::{Author, CallerKey, NewMessage, Posted, post};
pub(crate) use read::{AFTER, BEFORE, FIND, NEWEST};
pub use read::{Newest, PageAnchor, between, count_written, fill_list, find, newest, page};

use crate::Error;

/// 404 for a message, also one in a conversation that is hidden from the caller.
#[must_use]
pub const fn not_found() -> Error {
    Error::NotFound("There is no such message.")
}
