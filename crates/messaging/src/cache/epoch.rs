//! The epoch of cached values: the Redis server under which they were written. A server that comes
//! back from a snapshot, or a replica that takes over, may hold values of an earlier time; it is
//! another server and so another epoch.

use std::rc::Rc;

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

/// The epoch of a server by its identity, if it says who it is.
#[must_use]
pub fn server_epoch(server: Option<&str>) -> Rc<str> {
    server
        .map_or(UNKNOWN, |server| server.get(..LENGTH).unwrap_or(server))
        .into()
}
