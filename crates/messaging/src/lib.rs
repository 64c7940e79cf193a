//! The domain of the service, a folder per area with its rules, its SQL and its Lua.
//!
//! # Layout
//!
//! - [`api`]: what every component is made of: routes with their access, and the context of a request.
//! - [`auth`]: who calls. [`sessions`]: what browsers have instead of tokens, and what is revoked.
//!   [`rate_limit`]: how much one caller may ask for.
//! - [`messages`], [`conversations`], [`receipts`]: what PostgreSQL holds, and the caches of it.
//! - [`presence`], [`typing`]: what only Redis holds, as [`expiring_set`]s.
//! - [`events`]: the form of a change. [`relay`]: how changes get from PostgreSQL to Redis.
//!   [`feeds`]: how they get from there to a client that stays. [`gateway`]: to one whose connection a
//!   proxy holds.
//! - [`sealing`]: contents that stores hold sealed.
//! - [`search`]: finding messages by their words.
//! - [`analytics`]: how many messages, and how many active users.
//! - [`webhooks`]: events for receivers outside of the service.
//! - [`cache`]: how a value gets into Redis without ever being wrong there.
//! - [`redis_service`]: the typed Redis layer of the specification. [`keys`]: every key and channel.
//! - [`statements`]: those that must stay fast among many rows.
//! - [`ids`], [`content`]: values that carry their rules; past their parsers nothing is checked twice.

pub mod analytics;
pub mod api;
pub mod assistant;
pub mod auth;
pub mod cache;
pub mod content;
pub mod conversations;
pub mod events;
pub mod expiring_set;
pub mod feeds;
pub mod gateway;
pub mod ids;
pub mod keys;
pub mod messages;
pub mod presence;
pub mod rate_limit;
pub mod receipts;
pub mod records;
pub mod redis_service;
pub mod relay;
pub mod sealing;
pub mod search;
pub mod sessions;
pub mod statements;
pub mod typing;
pub mod webhooks;

pub use platform::{Error, Result};
pub use redis_service::RedisService;
