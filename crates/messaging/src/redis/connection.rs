//! One connection per component instance, shared by its concurrent requests.
//!
//! Commands that are awaited together go out together and cost one round trip.
//! A connection that breaks is dropped and opened anew; a command that is safe
//! to repeat is then tried once more. While Redis is away an instance asks it
//! again only after an exponential backoff, so that requests that can do
//! without Redis do not wait for it.

use std::cell::Cell;
use std::future::Future;
use std::time::{Duration, Instant};

use spin_sdk::redis::{Connection, Error as HostError, RedisParameter, RedisResult};
use spin_sdk::wasip3::random::random::get_random_u64;

use crate::error::Store;
use crate::log::redact;
use crate::shared::Shared;
use crate::{Error, clock, config, log_line};

/// Why a command gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RedisError {
    /// Redis cannot be reached, or cannot serve now.
    #[error("{0}")]
    Down(String),
    /// Redis answered with an error, or with a reply of another shape.
    #[error("{0}")]
    Refused(String),
}

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        match error {
            RedisError::Down(cause) => Self::Unavailable(Store::Redis, cause),
            RedisError::Refused(cause) => Self::Internal(format!("Redis: {cause}")),
        }
    }
}

/// How long a request waits for Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The request can do without Redis: one try, given up quickly.
    Optional,
    /// The request is about what Redis holds: reconnect with backoff within the deadline.
    Required,
}

impl Patience {
    const fn deadline(self) -> Duration {
        match self {
            Self::Optional => Duration::from_millis(500),
            Self::Required => Duration::from_secs(3),
        }
    }
}

/// The shortest backoff; `redis_retry_delay` is the ceiling.
const FIRST_DELAY: Duration = Duration::from_millis(50);

/// How it went with Redis lately.
#[derive(Clone, Copy, Default)]
struct Health {
    failures: u32,
    /// Until when an optional request does not try.
    closed_until: Option<Instant>,
}

thread_local! {
    static CONNECTION: Shared<Connection> = const { Shared::new() };
    static HEALTH: Cell<Health> = const { Cell::new(Health { failures: 0, closed_until: None }) };
}

/// Runs one command on the instance's connection.
pub async fn execute(
    patience: Patience,
    command: &'static str,
    arguments: Vec<RedisParameter>,
) -> Result<Vec<RedisResult>, RedisError> {
    within(patience.deadline(), async {
        let mut attempt = 1;
        loop {
            let failed = match attempt_once(patience, command, &arguments).await {
                Err(RedisError::Down(cause)) => cause,
                answer => return answer,
            };
            if !next_attempt(patience, command, &mut attempt).await? {
                return Err(RedisError::Down(failed));
            }
        }
    })
    .await
}

/// Whether to try again, after the wait that is due before it.
async fn next_attempt(
    patience: Patience,
    command: &str,
    attempt: &mut u64,
) -> Result<bool, RedisError> {
    if !repeatable(command) {
        return Ok(false);
    }
    *attempt += 1;
    let (attempts, ceiling) = retry_limits().await;
    let attempts = if patience == Patience::Optional {
        2
    } else {
        attempts
    };
    if *attempt > attempts {
        return Ok(false);
    }
    // The first failure is most often a connection that went stale: at once.
    if *attempt > 2 {
        let step = u32::try_from(*attempt - 2).unwrap_or(u32::MAX);
        clock::sleep(backoff(step, ceiling)).await;
    }
    Ok(true)
}

async fn attempt_once(
    patience: Patience,
    command: &str,
    arguments: &[RedisParameter],
) -> Result<Vec<RedisResult>, RedisError> {
    let connection = Shared::acquire(&CONNECTION, || open(patience)).await?;
    match connection
        .execute(command, arguments.iter().cloned())
        .await
        .map_err(classify)
    {
        Ok(reply) => {
            HEALTH.set(Health::default());
            Ok(reply)
        }
        Err(RedisError::Down(cause)) => {
            if CONNECTION.with(|shared| shared.forget(&connection)) {
                note_failure(&cause);
            }
            Err(RedisError::Down(cause))
        }
        Err(refused) => Err(refused),
    }
}

async fn open(patience: Patience) -> Result<Connection, RedisError> {
    let Health {
        failures,
        closed_until,
    } = HEALTH.get();
    if patience == Patience::Optional && closed_until.is_some_and(|until| Instant::now() < until) {
        return Err(RedisError::Down(
            "waiting before the next attempt to connect".into(),
        ));
    }
    if failures > 0 {
        let (attempts, _) = retry_limits().await;
        log_line!(
            "WARN",
            "Redis reconnecting... (attempt {}/{attempts})",
            u64::from(failures + 1).min(attempts)
        );
    }
    let connection = connect()
        .await
        .inspect_err(|cause| note_failure(&cause.to_string()))?;
    if failures > 0 {
        log_line!("INFO", "Redis connected successfully");
    }
    Ok(connection)
}

/// The first failure is most often a connection that went stale; from the
/// second on, requests that can do without Redis leave it alone for a while.
fn note_failure(cause: &str) {
    log_line!("WARN", "Redis connection error: {cause}");
    let failures = HEALTH.get().failures + 1;
    let wait = FIRST_DELAY.saturating_mul(1 << failures.min(5));
    HEALTH.set(Health {
        failures,
        closed_until: (failures > 1).then(|| Instant::now() + wait),
    });
}

/// Gives up when the time is over.
async fn within<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RedisError> {
    clock::timeout(deadline, work)
        .await
        .unwrap_or_else(|clock::Elapsed| {
            // A server that hangs costs a whole deadline each time: one is enough to back off.
            let cause = "no answer within the deadline";
            HEALTH.set(Health {
                failures: HEALTH.get().failures + 1,
                closed_until: None,
            });
            note_failure(cause);
            CONNECTION.with(Shared::clear);
            Err(RedisError::Down(cause.into()))
        })
}

async fn connect() -> Result<Connection, RedisError> {
    let url = config::text("redis_url")
        .await
        .map_err(|_| RedisError::Down("no redis_url".into()))?;
    Connection::open(&*url)
        .await
        .map_err(|error| RedisError::Down(describe(&error)))
}

/// A connection of its own, for commands that block.
pub struct Dedicated(Connection);

impl Dedicated {
    /// Opens a connection that nothing else uses; it closes when this is dropped.
    pub async fn open() -> Result<Self, RedisError> {
        connect().await.map(Self)
    }

    /// Runs one command, for as long as it takes.
    pub async fn execute(
        &self,
        command: &'static str,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, RedisError> {
        self.0.execute(command, arguments).await.map_err(classify)
    }
}

/// Whether a command may run twice without an effect that shows.
fn repeatable(command: &str) -> bool {
    !matches!(command, "INCR" | "LPUSH" | "RPUSH" | "XADD" | "LPOP")
}

async fn retry_limits() -> (u64, Duration) {
    let attempts = config::number("redis_retry_attempts").await.unwrap_or(5);
    let ceiling = config::number("redis_retry_delay").await.unwrap_or(3000);
    (attempts, Duration::from_millis(ceiling))
}

/// An exponential delay with full jitter.
fn backoff(step: u32, ceiling: Duration) -> Duration {
    let most = FIRST_DELAY.saturating_mul(1 << step.min(10)).min(ceiling);
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(get_random_u64() % (most + 1))
}

fn classify(error: HostError) -> RedisError {
    let text = describe(&error);
    if matches!(error, HostError::TypeError) || is_refusal(&text) {
        RedisError::Refused(text)
    } else {
        RedisError::Down(text)
    }
}

/// Whether an error's text is an answer of the server, rather than the loss of
/// it or a state that passes. Servers start an error with a word in capitals.
fn is_refusal(text: &str) -> bool {
    const PASSING: [&str; 7] = [
        "LOADING",
        "MASTERDOWN",
        "READONLY",
        "OOM",
        "CLUSTERDOWN",
        "TRYAGAIN",
        "MISCONF",
    ];
    let code = text.split([':', ' ']).next().unwrap_or_default();
    let coded = code.len() > 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    (coded && !PASSING.contains(&code)) || text.contains("signalled by the server")
}

fn describe(error: &HostError) -> String {
    match error {
        HostError::InvalidAddress => "the address is invalid or not allowed".into(),
        HostError::TooManyConnections => "too many connections".into(),
        HostError::TypeError => "a value of another type".into(),
        HostError::Other(text) => redact(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_is_not_taken_for_a_refusal() {
        for text in [
            "Broken pipe (os error 32)",
            "Connection refused (os error 111)",
            "LOADING: Redis is loading",
            "timed out",
        ] {
            assert!(!is_refusal(text), "{text}");
        }
        for text in [
            "WRONGTYPE: Operation against a key",
            "An error was signalled by the server - ResponseError: x",
        ] {
            assert!(is_refusal(text), "{text}");
        }
    }
}
