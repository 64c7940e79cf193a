//! Redis: fast, shared, and never the truth.
//!
//! # Layout
//!
//! - [`RedisClient`]: commands and scripts on the connection that the instance keeps.
//! - [`Criticality`]: how long a request waits for Redis.
//! - [`Script`]: a Lua script and whether it may run twice.
//! - [`Argument`], [`FromReply`]: values on the way in and out.
//! - [`RedisError`]: what went wrong, by the server's error code, in the forms of several hosts.
//! - [`StreamReader`]: one stream as it grows, on a connection of its own.
//! - `connection`: connecting, retries with backoff, and the circuit breaker.

mod argument;
mod client;
mod connection;
mod error;
mod reply;
mod script;
mod stream_reader;

pub use argument::{Argument, millis, seconds};
pub use client::RedisClient;
pub use connection::{Criticality, DedicatedConnection, connections_opened, server};
pub use error::RedisError;
pub use reply::{FromReply, unexpected, utf8};
pub use script::Script;
pub use spin_sdk::redis::{RedisParameter, RedisResult};
pub use stream_reader::{InvalidStreamId, StreamEntry, StreamId, StreamReader};

/// Whether a command or script may run twice without a visible effect. When the connection is lost
/// before the reply, only one that may is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It reads, or running it again changes nothing more.
    Safe,
    /// A second run would have a second effect.
    Unsafe,
}
