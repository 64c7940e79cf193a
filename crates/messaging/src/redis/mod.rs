//! Redis: fast, shared, and never the truth.
//!
//! - [`keys`]: every key and channel, each a named function.
//! - [`service`]: the typed commands.
//! - `bell`: how the relay is told of work.
//! - `streams`: the part of the service about streams, feeds and signals.
//! - [`Tail`]: reading one stream as it grows.
//! - [`Roster`], [`Member`], `markers`: the part of the service about who is online and who types.
//! - [`scripts`]: every script, a `.lua` file that documents its KEYS and ARGV.
//! - [`connection`]: one connection per instance, reopened when it breaks.
//! - [`reply`]: how replies become values.

mod bell;
pub mod connection;
pub mod keys;
mod markers;
mod member;
pub mod reply;
mod roster;
pub mod scripts;
pub mod service;
mod streams;
mod tail;

pub use connection::{Dedicated, Patience, RedisError};
pub use member::Member;
pub use roster::{Change, Roster};
pub use service::RedisService;
pub use tail::{Entry, EntryId, FEED_MARK, Tail};
