//! Feeds: events on their way to a client that stays, as Server-Sent Events.
//!
//! - [`ConversationFeed`]: a conversation's events from the database, then live
//!   from its stream in Redis. `progress` decides what is sent and when the
//!   database has to be asked.
//! - [`UserFeed`]: all that concerns a user, from their feed in Redis. `told`
//!   decides what is sent, and what tells that something was lost.
//! - `sse`: the form on the wire. `outlet`: the way to the client.
//!
//! A feed reads on a Redis connection of its own: one that waits for a stream
//! holds up everything behind it, so a connection shared by the streams of an
//! instance would need a reader that passes on to all of them what it got, and
//! requests of one instance cannot wake each other. An idle connection costs
//! Redis some 20 kB.

mod conversation;
mod head;
mod outlet;
mod progress;
mod sse;
mod told;
mod user;

use std::time::Duration;

use spin_sdk::wasip3::random::random::get_random_u64;

pub use conversation::ConversationFeed;
pub use outlet::{Ended, Outlet, stream};
pub use sse::{Block, LastEventId};
pub use user::UserFeed;

/// How long the opening of a stream waits for Redis.
const OPEN_LIMIT: Duration = Duration::from_secs(3);

/// A time between two looks at what a stream in Redis cannot tell: about ten
/// seconds, and not the same for all.
fn until_check() -> Duration {
    spread(Duration::from_secs(8), Duration::from_secs(4))
}

/// The time before a store that does not answer is asked again.
fn pause() -> Duration {
    spread(Duration::from_secs(1), Duration::from_secs(1))
}

fn spread(least: Duration, width: Duration) -> Duration {
    let width = u64::try_from(width.as_millis()).unwrap_or(u64::MAX);
    least + Duration::from_millis(get_random_u64() % width.max(1))
}
