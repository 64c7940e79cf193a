//! The scripts. Each works on the one key that it is given, so that it runs on
//! a cluster too; each file says what its KEYS and ARGV are.

/// A Lua script, run with `EVAL` (Redis keeps the compiled form by its hash).
#[derive(Debug, Clone, Copy)]
pub struct Script(pub(super) &'static str);

/// Adds the newest message to a cached list.
pub const APPEND: Script = Script(include_str!("scripts/append.lua"));
/// Fills an absent cached list.
pub const FILL: Script = Script(include_str!("scripts/fill.lua"));
/// Confirms a list that was filled.
pub const CONFIRM: Script = Script(include_str!("scripts/confirm.lua"));
/// Rings the relay.
pub const RING: Script = Script(include_str!("scripts/ring.lua"));
/// Adds a conversation's events to its stream.
pub const STREAM_APPEND: Script = Script(include_str!("scripts/stream_append.lua"));
/// Adds what is not durable to a conversation's stream.
pub const STREAM_INTERJECT: Script = Script(include_str!("scripts/stream_interject.lua"));
/// Adds events to a user's feed.
pub const FEED_APPEND: Script = Script(include_str!("scripts/feed_append.lua"));
/// Finds the newest entry of a user's feed.
pub const FEED_OPEN: Script = Script(include_str!("scripts/feed_open.lua"));
/// Tells whether a stream or feed still holds an entry.
pub const STREAM_HOLDS: Script = Script(include_str!("scripts/stream_holds.lua"));

/// Takes one request from a caller's rate.
pub const TAKE: Script = Script(include_str!("scripts/take.lua"));

/// A script that changes a roster, behind what all of these have in common.
macro_rules! roster {
    ($file:literal) => {
        Script(concat!(
            include_str!("scripts/roster/common.lua"),
            include_str!($file)
        ))
    };
}

/// Keeps a member of a roster for a life.
pub const ROSTER_KEEP: Script = roster!("scripts/roster/keep.lua");
/// Removes a member of a roster.
pub const ROSTER_END: Script = roster!("scripts/roster/end.lua");
/// Removes the members of a roster whose life is over.
pub const ROSTER_REAP: Script = roster!("scripts/roster/reap.lua");
/// Lists a roster.
pub const ROSTER_MEMBERS: Script = Script(include_str!("scripts/roster/members.lua"));
/// Tells who is in a roster.
pub const ROSTER_HAS: Script = Script(include_str!("scripts/roster/has.lua"));
/// Adds a member to a plain set.
pub const ENROLL: Script = Script(include_str!("scripts/roster/enroll.lua"));
