//! One connection per component instance, shared by its concurrent requests.
//!
//! Commands that are awaited together go out together and cost one round trip.
//! A connection that breaks is dropped and opened anew; a command that is safe
//! to repeat is then tried once more. While Redis is away an instance asks it
//! again only after an exponential backoff, so that requests that can do
//! without Redis do not wait for it.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared};
use spin_sdk::redis::{Connection, Error as HostError, RedisParameter, RedisResult};
use spin_sdk::wasip3::random::random::get_random_u64;

use crate::error::Store;
use crate::log::redact;
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

type Opening = Shared<LocalBoxFuture<'static, Result<Rc<Connection>, RedisError>>>;

#[derive(Default)]
struct State {
    /// The connection, or the attempt to open it, with its number.
    current: Option<(u64, Opening)>,
    /// How many were opened, to tell an old connection from a new one.
    opened: u64,
    failures: u32,
    /// Until when an optional request does not try.
    closed_until: Option<Instant>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
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
    let (number, opening) = current(patience)?;
    let connection = opening.await.inspect_err(|cause| failed(number, cause))?;
    let answer = connection.execute(command, arguments.iter().cloned()).await;
    match answer.map_err(classify) {
        Ok(reply) => {
            STATE.with_borrow_mut(|state| state.failures = 0);
            Ok(reply)
        }
        Err(error @ RedisError::Down(_)) => {
            failed(number, &error);
            Err(error)
        }
        Err(refused) => Err(refused),
    }
}

/// The connection, the attempt under way, or a new attempt.
fn current(patience: Patience) -> Result<(u64, Opening), RedisError> {
    STATE.with_borrow_mut(|state| {
        if let Some((number, opening)) = &state.current {
            return Ok((*number, opening.clone()));
        }
        let closed = state
            .closed_until
            .is_some_and(|until| Instant::now() < until);
        if closed && patience == Patience::Optional {
            return Err(RedisError::Down(
                "waiting before the next attempt to connect".into(),
            ));
        }
        state.opened += 1;
        let opening = open().boxed_local().shared();
        state.current = Some((state.opened, opening.clone()));
        Ok((state.opened, opening))
    })
}

/// Forgets the connection, unless somebody did already.
fn failed(number: u64, cause: &RedisError) {
    STATE.with_borrow_mut(|state| {
        if state
            .current
            .as_ref()
            .is_some_and(|(current, _)| *current == number)
        {
            log_line!("WARN", "Redis connection error: {cause}");
            state.current = None;
            state.failures += 1;
            let wait = FIRST_DELAY.saturating_mul(1 << state.failures.min(5));
            state.closed_until = (state.failures > 1).then(|| Instant::now() + wait);
        }
    });
}

/// Gives up when the time is over. The connection that did not answer is not used again.
async fn within<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RedisError> {
    match clock::timeout(deadline, work).await {
        Ok(answer) => answer,
        Err(clock::Elapsed) => {
            let error = RedisError::Down("no answer within the deadline".into());
            // A server that hangs costs a whole deadline each time: one is enough to back off.
            let current = STATE.with_borrow_mut(|state| {
                state.failures += 1;
                state.current.as_ref().map(|(number, _)| *number)
            });
            if let Some(number) = current {
                failed(number, &error);
            }
            Err(error)
        }
    }
}

async fn open() -> Result<Rc<Connection>, RedisError> {
    let failures = STATE.with_borrow(|state| state.failures);
    if failures == 0 {
        return connect().await.map(Rc::new);
    }
    let (attempts, _) = retry_limits().await;
    log_line!(
        "WARN",
        "Redis reconnecting... (attempt {}/{attempts})",
        failures + 1
    );
    let connection = connect().await?;
    STATE.with_borrow_mut(|state| state.closed_until = None);
    log_line!("INFO", "Redis connected successfully");
    Ok(Rc::new(connection))
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
