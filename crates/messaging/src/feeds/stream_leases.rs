//! How many event streams a user has open, on all instances together: each holds a lease in Redis.
//!
//! A stream takes its lease before it opens a connection, renews it while it is open, and gives it
//! back at its end; the lease of a host that died expires. While Redis is away a stream opens
//! without a lease and takes one later.
//!
//! Of a stream that a proxy holds, the end is not reported. Its lease is valid for longer than the proxy
//! needs to ask; and when there are too many, those that are open are asked for an answer.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use platform::http::StreamEnd;
use platform::redis::{RedisError, Repeat, Script, millis};
use platform::{args, clock, config, random, task};

use super::held::HELD_TTL;
use crate::gateway::{self, Channel, HeldStream, Notice};
use crate::ids::UserId;
use crate::{Error, RedisService, Result, keys};

/// Takes or renews a lease.
const STREAM_LEASE: Script = Script::idempotent(include_str!("lua/stream_lease.lua"));

/// Lets the leases of held streams expire soon.
const HELD_CHECK: Script = Script::idempotent(include_str!("lua/held_check.lua"));

/// How long a lease is valid without being renewed.
const TTL: Duration = Duration::from_secs(30);
/// The time between two renewals: two may fail before the lease expires.
const RENEWAL: Duration = Duration::from_secs(10);

/// How long a held stream that is asked may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

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
        Err(refused(user, wait).await)
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
        take(RedisService::optional(), &self.key, &self.stream, TTL, max).await
    }
}

async fn take(
    redis: RedisService,
    key: &str,
    stream: &str,
    ttl: Duration,
    max: i64,
) -> Result<i64, RedisError> {
    let arguments = args![stream, millis(ttl), max, millis(HELD_TTL)];
    redis.script(STREAM_LEASE, key, arguments).await
}

/// The error of a stream that is one too many: by the time to wait, those that only seem to be open do
/// not count any more.
async fn refused(user: Option<UserId>, wait: Duration) -> Error {
    let asked = match user {
        Some(user) => ask_held(user).await.unwrap_or_default(),
        None => 0,
    };
    let wait = if asked > 0 { wait.min(ANSWER) } else { wait };
    Error::TooManyStreams(wait.as_secs() + 1)
}

async fn ask_held(user: UserId) -> Result<i64, RedisError> {
    let redis = RedisService::optional();
    let arguments = args![millis(ANSWER)];
    let asked: i64 = redis
        .script(HELD_CHECK, &keys::streams_of_user(user), arguments)
        .await?;
    if asked > 0 {
        let check = Notice::Check(Channel::Streams(user).to_string());
        gateway::notify(redis, &[check]).await?;
    }
    Ok(asked)
}

/// The lease of a stream that a proxy holds.
pub struct HeldLease<'a> {
    user: UserId,
    stream: &'a str,
}

impl<'a> HeldLease<'a> {
    /// The lease of a stream of a user; none for a service, of which any number may be open.
    #[must_use]
    pub fn of(stream: &'a HeldStream) -> Option<Self> {
        Some(Self {
            user: stream.caller?,
            stream: &stream.id,
        })
    }

    /// Takes it; 429 if the user has `max_streams_per_user` open.
    pub async fn acquire(&self) -> Result<()> {
        let max = config::number("max_streams_per_user").await?;
        let max = if max == 0 { i64::MAX as u64 } else { max };
        let wait = self.take(i64::try_from(max).unwrap_or(i64::MAX)).await?;
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or_default());
        if wait.is_zero() {
            return Ok(());
        }
        Err(refused(Some(self.user), wait).await)
    }

    /// Renews it: the stream is open, however many others there are.
    pub async fn renew(&self) -> Result<()> {
        self.take(i64::MAX).await?;
        Ok(())
    }

    /// Gives it back.
    pub async fn release(&self) {
        let arguments = args![keys::streams_of_user(self.user), self.stream];
        // Without Redis the lease expires.
        let _: Result<i64, RedisError> = RedisService::optional()
            .command(Repeat::Safe, "ZREM", arguments)
            .await;
    }

    async fn take(&self, max: i64) -> Result<i64, RedisError> {
        let key = keys::streams_of_user(self.user);
        take(RedisService::required(), &key, self.stream, HELD_TTL, max).await
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
