//! What all components share.
//!
//! # Layout
//!
//! - [`ids`], [`content`]: values that carry their rules; past their parsers nothing is checked twice.
//! - [`http`]: from a request to a [`http::Call`], from a result to an answer, and the one mapping of errors.
//! - [`auth`]: who calls, and what they may do.
//! - [`rate_limit`]: how much one caller may ask for.
//! - [`redis`]: the connection, every key and channel, and the typed service.
//! - [`postgres`]: the connection, and how rows and errors are read.
//! - [`messages`], [`conversations`]: the statements of each area beside the rows they give.
//! - [`receipts`]: how far each user has read, and what is unread.
//! - [`presence`], [`typing`]: who is online, who types, and the end of it by expiry.
//! - [`events`]: the shape in which changes travel.
//! - [`feeds`]: events on their way to clients that stay.
//! - [`relay`]: the work of passing events on.
//! - [`cache`]: how a value gets into Redis without ever being wrong there.
//! - `shared`: the connection that an instance keeps.
//! - `together`: what its requests ask as one.
//! - [`config`], [`clock`], [`log`]: variables, waiting, and the log's words.

pub mod auth;
pub mod cache;
pub mod clock;
pub mod config;
pub mod content;
pub mod conversations;
pub mod error;
pub mod events;
pub mod feeds;
pub mod http;
pub mod ids;
pub mod log;
pub mod messages;
pub mod postgres;
pub mod presence;
pub mod rate_limit;
pub mod receipts;
pub mod redis;
pub mod relay;
mod shared;
mod together;
pub mod typing;

pub use error::{Error, Result};
