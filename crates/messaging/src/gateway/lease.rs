//! How many sockets a user has open, on all proxies together; and whether the user has any, for the
//! relay, which publishes to no other.

use std::time::Duration;

use platform::redis::{RedisError, Repeat, Script, millis};
use platform::{args, config};

use super::Socket;
use crate::{Error, RedisService, Result, keys};

/// Takes or renews a lease.
const LEASE: Script = Script::idempotent(include_str!("../feeds/lua/stream_lease.lua"));

/// How long a lease is valid without being renewed: two renewals may fail.
const TTL: Duration = Duration::from_secs(180);

/// The lease of one open socket.
pub struct SocketLease {
    key: String,
    connection: String,
}

impl SocketLease {
    /// The lease of a socket, which may be held.
    #[must_use]
    pub fn of(socket: &Socket) -> Self {
        Self {
            key: keys::sockets_of_user(socket.user),
            connection: socket.connection.clone(),
        }
    }

    /// Takes it; 429 if the user has `max_streams_per_user` sockets open.
    pub async fn acquire(&self) -> Result<()> {
        let max = config::number("max_streams_per_user").await?;
        let max = if max == 0 { i64::MAX as u64 } else { max };
        match self.take(i64::try_from(max).unwrap_or(i64::MAX)).await? {
            0 => Ok(()),
            wait => Err(Error::TooManyStreams(
                u64::try_from(wait).unwrap_or_default() / 1000 + 1,
            )),
        }
    }

    /// Renews it: the socket is open, however many others there are.
    pub async fn renew(&self) -> Result<()> {
        self.take(i64::MAX).await?;
        Ok(())
    }

    /// Gives it back.
    pub async fn release(&self) {
        let arguments = args![self.key.as_str(), self.connection.as_str()];
        // Without Redis the lease expires.
        let _: Result<i64, RedisError> = RedisService::optional()
            .command(Repeat::Safe, "ZREM", arguments)
            .await;
    }

    async fn take(&self, max: i64) -> Result<i64, RedisError> {
        let arguments = args![self.connection.as_str(), millis(TTL), max, millis(TTL)];
        RedisService::required()
            .script(LEASE, &self.key, arguments)
            .await
    }
}
