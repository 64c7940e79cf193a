//! Real Redis and PostgreSQL for development and tests.
//!
//! Nothing here fakes a store: where `REDIS_URL` and `DATABASE_URL` name servers, those are
//! used; else private ones are started from the machine's own binaries, on 127.0.0.1, on free
//! ports, with a random password and a data directory of their own.
//!
//! # Layout
//!
//! - [`Stores`]: both stores, from the environment or private, and their life
//! - [`Redis`], [`Postgres`]: one private server each, with the switches of fault tests
//! - `server`: what the two have in common: start, stop, kill, pause
//! - [`process`]: children that end with this process
//! - [`connect`]: a session with PostgreSQL, encrypted where its URL asks for it
//! - [`migrate`]: the files of `migrations/`, each applied once
//! - [`apt`]: Debian packages, installed where something is missing
//! - [`ports`], [`address`], [`secret`], `directory`, `orphan`: small helpers

pub mod address;
pub mod apt;
mod connection;
mod directory;
pub mod migrate;
mod orphan;
pub mod ports;
mod postgres;
pub mod process;
mod redis;
pub mod secret;
mod server;
mod stores;
mod sweep;

pub use connection::connect;
pub use directory::{AlreadyInUse, DirectoryLock, create as create_directory};
pub use postgres::Postgres;
pub use redis::Redis;
pub use stores::{Durability, Options, Stores, install_missing};
pub use sweep::{TemporaryDirectory, sweep};

/// Says on standard error what is being done, so that a long step is no mystery and standard
/// output stays free for what a command prints.
pub fn say(what: impl std::fmt::Display) {
    eprintln!("lexiflow: {what}");
}
