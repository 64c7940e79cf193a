//! The epoch of cached values: the Redis server under which they were written. A server that comes
//! back from a snapshot, or a replica that takes over, may hold values of an earlier time; it is
//! another server and so another epoch.

use std::rc::Rc;
use std::time::Duration;

use platform::clock;
use platform::redis::{self, Criticality, RedisError};

/// How much of the server's identity is kept in each value.
const LENGTH: usize = 12;
/// The epoch of a server that does not say which one it is.
const UNKNOWN: &str = "unknown";

/// The server behind the instance's present connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    server: Rc<str>,
    connection: u64,
}

impl Epoch {
    /// The epoch as it stands in values.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.server
    }

    /// Whether another epoch is of the same server.
    #[must_use]
    pub fn is_same_server(&self, other: &Self) -> bool {
        self.server == other.server
    }

    /// Whether all replies since came from this server: the instance has not connected anew.
    #[must_use]
    pub fn is_current(&self) -> bool {
        redis::connections_opened() == self.connection
    }
}

/// The present epoch.
pub async fn epoch() -> Result<Epoch, RedisError> {
    let (server, connection) = redis::server(Criticality::Optional).await?;
    let server = server_epoch(server.as_deref());
    Ok(Epoch { server, connection })
}

/// How long a change waits to learn the epoch before it is made.
const BEFORE_A_CHANGE: Duration = Duration::from_millis(100);

/// The epoch before a change is made; `None` if Redis does not say it at once. Only a server that the
/// writer knew by then has every later change, or gets it: under another one, which may have come
/// back older, a write that was held up would bring an old text back.
pub async fn epoch_before_change() -> Option<Epoch> {
    let known = clock::timeout(BEFORE_A_CHANGE, epoch()).await;
    known.ok().and_then(Result::ok)
}

/// The epoch of a server by its identity, if it says who it is.
#[must_use]
pub fn server_epoch(server: Option<&str>) -> Rc<str> {
    server
        .map_or(UNKNOWN, |server| server.get(..LENGTH).unwrap_or(server))
        .into()
}
