//! One connection per component instance, shared by its concurrent requests.
//!
//! Commands that are awaited together are sent together and cost one round trip. A connection that
//! breaks is dropped and opened anew; a command that may be repeated is then sent once more. While
//! Redis is away, a circuit breaker lets optional requests go on without it: the instance tries
//! again only after an exponential backoff.

use std::cell::{Cell, OnceCell};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use spin_sdk::redis::{Connection, RedisParameter, RedisResult};

use super::error::classify;
use super::reply::FromReply;
use super::{RedisError, Repeat};
use crate::clock::{self, Instant};
use crate::shared_connection::SharedConnection;
use crate::{args, config, random};

/// How critical Redis is to the request at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criticality {
    /// The request can do without Redis: one try, with a short deadline.
    Optional,
    /// The request is about what Redis holds: retries with backoff within the deadline.
    Required,
}

impl Criticality {
    const fn deadline(self) -> Duration {
        match self {
            Self::Optional => Duration::from_millis(500),
            Self::Required => Duration::from_secs(3),
        }
    }
}

/// The shortest backoff; `redis_retry_delay` is the ceiling.
const FIRST_DELAY: Duration = Duration::from_millis(50);

/// The circuit breaker of the instance.
#[derive(Clone, Copy, Default)]
struct Breaker {
    failures: u32,
    /// Until when optional requests do not try.
    open_until: Option<Instant>,
}

impl Breaker {
    const CLOSED: Self = Self {
        failures: 0,
        open_until: None,
    };

    /// The first failure is most often a connection that went stale; from the second on, the
    /// breaker is open for a while.
    fn after_failure(self) -> Self {
        let failures = self.failures + 1;
        let wait = FIRST_DELAY.saturating_mul(1 << failures.min(5));
        Self {
            failures,
            open_until: (failures > 1).then(|| Instant::now() + wait),
        }
    }

    /// A server that hangs costs a whole deadline each time: one is enough.
    fn after_timeout(self) -> Self {
        Self {
            failures: self.failures + 1,
            ..self
        }
        .after_failure()
    }

    fn is_open(self) -> bool {
        self.open_until.is_some_and(|until| Instant::now() < until)
    }
}

/// A connection, and what is known of the server behind it.
struct Shared {
    connection: Connection,
    /// Which connection of the instance it is: 1 is the first.
    number: u64,
    server: OnceCell<Option<Rc<str>>>,
}

thread_local! {
    static SHARED: SharedConnection<Shared> = const { SharedConnection::new() };
    static BREAKER: Cell<Breaker> = const { Cell::new(Breaker::CLOSED) };
    static OPENED: Cell<u64> = const { Cell::new(0) };
}

/// How many connections the instance has opened: as long as it stays the same, all replies came
/// from the same server.
#[must_use]
pub fn connections_opened() -> u64 {
    OPENED.get()
}

/// The identity of the server behind the instance's connection, and that connection's number. A
/// server that restarted is another one. `None` where the server does not say, for want of a
/// privilege.
pub async fn server(criticality: Criticality) -> Result<(Option<Rc<str>>, u64), RedisError> {
    if let Some(shared) = SHARED.with(SharedConnection::current)
        && let Some(known) = shared.server.get()
    {
        return Ok((known.clone(), shared.number));
    }
    within(criticality.deadline(), async {
        let shared = SharedConnection::acquire(&SHARED, || open(criticality)).await?;
        if let Some(known) = shared.server.get() {
            return Ok((known.clone(), shared.number));
        }
        let id = match run(&shared.connection, "INFO", args!["server"]).await {
            Ok(reply) => run_id(&String::from_reply(reply)?),
            Err(RedisError::Refused(_)) => None,
            Err(error) => {
                SHARED.with(|connection| connection.forget(&shared));
                return Err(error);
            }
        };
        Ok((shared.server.get_or_init(|| id).clone(), shared.number))
    })
    .await
}

/// The server's identity in the reply to `INFO server`.
pub(super) fn run_id(info: &str) -> Option<Rc<str>> {
    let id = info.lines().find_map(|line| line.strip_prefix("run_id:"))?;
    Some(id.trim().into())
}

/// Runs one command on the instance's connection.
pub async fn execute(
    criticality: Criticality,
    repeat: Repeat,
    command: &str,
    arguments: &[RedisParameter],
) -> Result<Vec<RedisResult>, RedisError> {
    within(criticality.deadline(), async {
        let mut attempt = 1;
        loop {
            let reply = attempt_once(criticality, command, arguments).await;
            let passing = match &reply {
                // Not carried out, whatever the command.
                Err(RedisError::Busy(_)) => true,
                Err(RedisError::Disconnected(_)) => repeat == Repeat::Safe,
                _ => false,
            };
            if !passing || !next_attempt(criticality, &mut attempt).await {
                return reply;
            }
        }
    })
    .await
}

/// Whether to try again, after the backoff that is due before it.
async fn next_attempt(criticality: Criticality, attempt: &mut u64) -> bool {
    *attempt += 1;
    let (attempts, ceiling) = retry_limits().await;
    let attempts = match criticality {
        Criticality::Optional => 2,
        Criticality::Required => attempts,
    };
    if *attempt > attempts {
        return false;
    }
    // The first failure is most often a connection that went stale: at once.
    if *attempt > 2 {
        let step = u32::try_from(*attempt - 2).unwrap_or(u32::MAX);
        clock::sleep(backoff(step, ceiling, random::number())).await;
    }
    true
}

async fn attempt_once(
    criticality: Criticality,
    command: &str,
    arguments: &[RedisParameter],
) -> Result<Vec<RedisResult>, RedisError> {
    let shared = SharedConnection::acquire(&SHARED, || open(criticality)).await?;
    let reply = run(&shared.connection, command, arguments.to_vec()).await;
    match &reply {
        Err(RedisError::Disconnected(cause)) => {
            if SHARED.with(|connection| connection.forget(&shared)) {
                record_failure(cause);
            }
        }
        Err(_) => {}
        Ok(_) => BREAKER.set(Breaker::CLOSED),
    }
    reply
}

async fn run(
    connection: &Connection,
    command: &str,
    arguments: Vec<RedisParameter>,
) -> Result<Vec<RedisResult>, RedisError> {
    connection
        .execute(command, arguments)
        .await
        .map_err(|error| classify(&error))
}

async fn open(criticality: Criticality) -> Result<Shared, RedisError> {
    let breaker = BREAKER.get();
    if criticality == Criticality::Optional && breaker.is_open() {
        return Err(RedisError::Disconnected(
            "circuit breaker open: waiting before the next attempt to connect".into(),
        ));
    }
    if breaker.failures > 0 {
        let (attempts, _) = retry_limits().await;
        let attempt = u64::from(breaker.failures + 1).min(attempts);
        log::warn!("Redis reconnecting... (attempt {attempt}/{attempts})");
    }
    let connection = connect()
        .await
        .inspect_err(|cause| record_failure(&cause.to_string()))?;
    if breaker.failures > 0 {
        log::info!("Redis connected successfully");
    }
    OPENED.set(OPENED.get() + 1);
    Ok(Shared {
        connection,
        number: OPENED.get(),
        server: OnceCell::new(),
    })
}

fn record_failure(cause: &str) {
    log::warn!("Redis connection error: {cause}");
    BREAKER.set(BREAKER.get().after_failure());
}

/// Gives up at the deadline.
async fn within<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RedisError> {
    clock::timeout(deadline, work)
        .await
        .unwrap_or_else(|clock::Elapsed| {
            let cause = "no reply within the deadline";
            log::warn!("Redis connection error: {cause}");
            BREAKER.set(BREAKER.get().after_timeout());
            SHARED.with(SharedConnection::clear);
            Err(RedisError::Disconnected(cause.into()))
        })
}

async fn connect() -> Result<Connection, RedisError> {
    let url = config::text("redis_url")
        .await
        .map_err(|_| RedisError::Disconnected("no redis_url".into()))?;
    let url = store_url::redis(&url)
        .map_err(|reason| RedisError::Disconnected(format!("the variable redis_url {reason}")))?;
    Connection::open(&url)
        .await
        .map_err(|error| classify(&error))
}

/// A connection of its own, for commands that block.
pub struct DedicatedConnection(Connection);

impl DedicatedConnection {
    /// Opens a connection that nothing else uses; it closes when this is dropped.
    pub async fn open() -> Result<Self, RedisError> {
        connect().await.map(Self)
    }

    /// Runs one command, for as long as it takes.
    pub async fn execute(
        &self,
        command: &str,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, RedisError> {
        run(&self.0, command, arguments).await
    }
}

async fn retry_limits() -> (u64, Duration) {
    let attempts = config::number("redis_retry_attempts").await.unwrap_or(5);
    let ceiling = config::number("redis_retry_delay").await.unwrap_or(3000);
    (attempts, Duration::from_millis(ceiling))
}

/// An exponential delay with full jitter.
fn backoff(step: u32, ceiling: Duration, random: u64) -> Duration {
    let most = FIRST_DELAY.saturating_mul(1 << step.min(10)).min(ceiling);
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random % (most + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_backoff_grows_with_each_step_up_to_the_ceiling(step in 0..64_u32, random: u64) {
            let ceiling = Duration::from_secs(3);
            let delay = backoff(step, ceiling, random);
            prop_assert!(delay <= ceiling);
            prop_assert!(delay <= FIRST_DELAY * 2_u32.pow(step.min(10)));
        }
    }

    #[test]
    fn the_breaker_opens_at_the_second_failure_and_for_longer_at_each() {
        let first = Breaker::CLOSED.after_failure();
        assert!(!first.is_open());
        let second = first.after_failure();
        assert!(second.is_open());
        clock::manual::advance(FIRST_DELAY * 4);
        assert!(!second.is_open());
        let third = second.after_failure();
        clock::manual::advance(FIRST_DELAY * 4);
        assert!(third.is_open());
    }

    #[test]
    fn a_servers_identity_is_its_run_id() {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\ntcp_port:1\r\n";
        assert_eq!(run_id(info).as_deref(), Some("abc"));
        assert_eq!(run_id("# Server\r\n"), None);
    }

    #[test]
    fn one_timeout_opens_the_breaker() {
        assert!(Breaker::CLOSED.after_timeout().is_open());
    }
}
