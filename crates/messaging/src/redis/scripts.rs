//! The scripts. Each works on the one key that it is given, so that it runs on
//! a cluster too; each file says what its KEYS and ARGV are.

/// A Lua script, run with `EVAL` (Redis keeps the compiled form by its hash).
#[derive(Debug, Clone, Copy)]
pub struct Script(pub(super) &'static str);

/// Adds the newest message to a cached list.
pub const APPEND: Script = Script(include_str!("scripts/append.lua"));
/// Fills an absent cached list.
pub const FILL: Script = Script(include_str!("scripts/fill.lua"));
/// Rings the relay.
pub const RING: Script = Script(include_str!("scripts/ring.lua"));
/// Adds a conversation's events to its stream.
pub const STREAM_APPEND: Script = Script(include_str!("scripts/stream_append.lua"));
/// Adds what is not durable to a conversation's stream.
pub const STREAM_INTERJECT: Script = Script(include_str!("scripts/stream_interject.lua"));
/// Adds events to a user's feed.
pub const FEED_APPEND: Script = Script(include_str!("scripts/feed_append.lua"));
