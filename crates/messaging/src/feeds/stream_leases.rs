//! How many event streams a user has open, on all instances together: each holds a lease in Redis.
//!
//! A stream takes its lease before it opens a connection, renews it while it is open, and gives it
//! back at its end; the lease of a host that died expires. While Redis is away a stream opens
//! without a lease and takes one later.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use platform::http::StreamEnd;
use platform::redis::{RedisError, Repeat, Script, millis};
use platform::{args, clock, config, random, task};

use crate::ids::UserId;
use crate::{Error, RedisService, Result, keys};

/// Takes or renews a lease.
const STREAM_LEASE: Script = Script::idempotent(include_str!("lua/stream_lease.lua"));

/// How long a lease is valid without being renewed.
const TTL: Duration = Duration::from_secs(30);
/// The time between two renewals: two may fail before the lease expires.
const RENEWAL: Duration = Duration::from_secs(10);

/// The lease of one open stream; given back when it is dropped.
pub struct StreamLease(Option<Lease>);

impl StreamLease {
    /// Takes a lease for a stream of a user, or of a service, of which any number may be open; 429
    /// if the user has `max_streams_per_user` open.
    pub async fn acquire(user: Option<UserId>) -> Result<Self> {
        let max = config::number("max_streams_per_user").await?;
        let lease = user.filter(|_| max > 0).map(|user| Lease::new(user, max));
        let mut lease = Self(lease);
        let Some(wait) = lease.wait().await else {
            return Ok(lease);
        };
        // There is nothing to give back.
        lease.0 = None;
        Err(Error::TooManyStreams(wait.as_secs() + 1))
    }

    /// Runs the stream while the lease is renewed. A stream that finds its lease taken by others,
    /// after it could not be renewed in time, ends.
    pub async fn hold(self, stream: impl Future<Output = StreamEnd>) -> StreamEnd {
        match select(pin!(stream), pin!(self.renew_until_lost())).await {
            Either::Left((end, _)) => end,
            Either::Right(_) => StreamEnd::AccessLost,
        }
    }

    async fn renew_until_lost(&self) {
        loop {
            clock::sleep(RENEWAL).await;
            if self.wait().await.is_some() {
                return;
            }
        }
    }

    /// Takes or renews the lease; how long to wait if there are too many.
    async fn wait(&self) -> Option<Duration> {
        let lease = self.0.as_ref()?;
        let wait = lease.take().await.ok()?;
        let wait = Duration::from_millis(u64::try_from(wait).ok()?);
        (!wait.is_zero()).then_some(wait)
    }
}

/// A lease that may be held: whether it was taken is not known before the script's reply.
struct Lease {
    key: String,
    stream: String,
    max: u64,
}

impl Lease {
    fn new(user: UserId, max: u64) -> Self {
        Self {
            key: keys::streams_of_user(user),
            stream: format!("{:016x}{:016x}", random::number(), random::number()),
            max,
        }
    }

    async fn take(&self) -> Result<i64, RedisError> {
        let max = i64::try_from(self.max).unwrap_or(i64::MAX);
        let arguments = args![self.stream.as_str(), millis(TTL), max];
        RedisService::optional()
            .script(STREAM_LEASE, &self.key, arguments)
            .await
    }
}

impl Drop for StreamLease {
    fn drop(&mut self) {
        let Some(lease) = self.0.take() else {
            return;
        };
        task::spawn(async move {
            let arguments = args![lease.key.as_str(), lease.stream.as_str()];
            // Without Redis the lease expires.
            let _: Result<i64, RedisError> = RedisService::optional()
                .command(Repeat::Safe, "ZREM", arguments)
                .await;
        });
    }
}
