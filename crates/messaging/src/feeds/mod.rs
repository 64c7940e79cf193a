//! Feeds: events on their way to a client that stays, as Server-Sent Events.
//!
//! # Layout
//!
//! - [`ConversationFeed`]: a conversation's events from the database, then live from its stream in
//!   Redis. `progress` decides what is sent and when the database has to be asked.
//! - [`UserFeed`]: all that concerns a user, from their feed in Redis; [`FeedPosition`] is where it
//!   resumes.
//! - [`HeldPage`]: what the client of a stream lacks that a proxy holds.
//! - [`page_after`]: a part of a user's feed, for a client that asks for it.
//! - `resolve`: streams and feeds hold references; the text and the right are looked up when an
//!   event is delivered.
//! - [`StreamLease`], [`HeldLease`]: how many streams a user has open.
//! - [`streams`]: the streams in Redis behind both, and how they grow. [`Additions`]: what was added.
//! - [`resolve_for`]: what readers at a proxy may see of it.

mod added;
mod audience;
mod conversation;
mod held;
mod page;
mod position;
mod progress;
mod resolve;
mod stream_leases;
pub mod streams;
mod user;

use std::time::Duration;

use platform::random;

pub use added::{Added, Additions};
pub use audience::{Publication, Reader, resolve_for};
pub use conversation::ConversationFeed;
pub use held::{HeldPage, conversation_page, feed_page, hold_conversation, hold_feed, sse};
pub use page::{FeedEvent, FeedPage, newest_position, page_after};
pub use position::FeedPosition;
pub(crate) use resolve::{EVENTS_OF_USER, MEMBERSHIPS};
pub use stream_leases::{HeldLease, StreamLease};
pub use user::UserFeed;

/// How long the opening of a stream waits for Redis.
const OPEN_LIMIT: Duration = Duration::from_secs(3);

/// The time between two looks at what a stream in Redis cannot show: about ten seconds, and not
/// the same for all.
fn until_check() -> Duration {
    random::duration(Duration::from_secs(8), Duration::from_secs(4))
}

/// The time before a store that did not answer is asked again.
fn pause() -> Duration {
    random::duration(Duration::from_secs(1), Duration::from_secs(1))
}
