//! Infrastructure for the components. It knows no domain: nothing in here has heard of a
//! conversation or a message, and cargo enforces it: of our crates it depends on `store-url` alone,
//! which knows the URLs of Redis and PostgreSQL.
//!
//! # Layout
//!
//! - [`http`]: from a request of the host to a [`http::Request`], from a result to a response, and
//!   the one mapping of errors to status codes; Server-Sent Events.
//! - [`grip`]: the protocol of proxies that hold WebSockets for the service.
//! - [`postgres`]: the connection that an instance keeps, statements, parameters and rows.
//! - [`redis`]: the connection that an instance keeps, commands, scripts and replies; a stream reader.
//! - [`batcher`]: what concurrent requests of an instance write together.
//! - [`shared_connection`]: one connection for all requests of an instance.
//! - [`task`]: work that outlives the request that started it.
//! - [`clock`]: waiting, deadlines, and the time.
//! - [`config`]: Spin variables.
//! - [`random`]: random numbers.
//! - [`log`]: the log's form, and how secrets are kept out of it.

pub mod batcher;
pub mod clock;
pub mod config;
pub mod error;
pub mod grip;
pub mod http;
pub mod log;
pub mod postgres;
pub mod random;
pub mod redis;
pub mod shared_connection;
pub mod task;
mod wake;

pub use error::{Error, Result};
