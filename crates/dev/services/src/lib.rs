//! Real Redis and PostgreSQL for development and tests, and the processes that use them.
//!
//! Nothing here fakes a store. The servers of `REDIS_URL` and `DATABASE_URL` are used if these
//! are set; else private ones are started from the machine's own binaries, on 127.0.0.1, on free
//! ports, with a random password and a data directory of their own.
//!
//! # Layout
//!
//! - [`Stores`]: both stores, external or private
//! - [`redis`], [`postgres`]: how a private server is configured and started; [`Template`]: a
//!   migrated cluster that the databases of tests are copied from
//! - [`Devhost`]: how devhost is started
//! - [`Pushpin`]: the proxy that holds sockets
//! - [`ServerProcess`]: start, readiness, stop, crash and pause of all these servers
//! - [`process`]: children that end with this process
//! - [`connect`]: a session with PostgreSQL, encrypted if its URL requires it
//! - [`migrate`]: the files of `migrations/`, each applied once
//! - [`reindex`]: the words of messages, for search
//! - [`reseal`]: contents and titles, sealed by the first key
//! - [`flush`]: what of Redis is derived from PostgreSQL, deleted
//! - [`TemporaryDirectory`], [`DirectoryLock`]: data directories, and the lock on one
//! - [`apt`]: Debian packages, installed if a program is missing
//! - `stale`: servers that a killed run left behind
//! - [`ports`], [`address`], [`secret`]: small helpers

pub mod address;
pub mod apt;
mod connection;
mod devhost;
mod directory;
pub mod flush;
pub mod migrate;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod pushpin;
pub mod redis;
pub mod reindex;
pub mod reseal;
pub mod secret;
mod server_process;
mod stale;
mod stores;
mod temporary;

pub use connection::connect;
pub use devhost::Devhost;
pub use directory::{AlreadyInUse, DirectoryLock, create as create_directory};
pub use postgres::Template;
pub use pushpin::Pushpin;
pub use server_process::ServerProcess;
pub use stores::{Durability, Options, Stores, install_missing};
pub use temporary::{TemporaryDirectory, remove_stale_instances};

/// Reports on standard error what a command is doing. Standard output stays free for its result.
pub fn progress(message: impl std::fmt::Display) {
    eprintln!("lexiflow: {message}");
}
