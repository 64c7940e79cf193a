//! The connections of an instance: one that all its requests share, and a few for statements that
//! wait for a lock.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use spin_sdk::pg::{Connection, ParameterValue};

use super::failure::{PgFailure, classify};
use super::{DEADLINE, Row, url};
use crate::config;
use crate::shared_connection::SharedConnection;
use crate::wake::{self, Wake};

/// How long a statement on the shared connection waits for a lock: the statements of other
/// requests queue behind it. A post holds its conversation's row for one or two milliseconds.
const SHORT_WAIT: Duration = Duration::from_millis(100);
/// How long a statement on a connection of its own waits for a lock: in the order in which the
/// statements came, and for less than the deadline.
const LONG_WAIT: Duration = Duration::from_millis(4500);
/// How many statements of an instance wait for locks at the same time: each takes a connection
/// from the pool of all instances.
const MAX_WAITING: usize = 4;

/// Which connection a statement runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The instance's.
    Shared,
    /// One of its own, on which it can wait for a lock.
    Waiting,
}

thread_local! {
    static SHARED: SharedConnection<Connection> = const { SharedConnection::new() };
    static WAITING: Cell<usize> = const { Cell::new(0) };
    static QUEUE: RefCell<Vec<Wake>> = const { RefCell::new(Vec::new()) };
}

/// Runs one statement once.
pub async fn run(
    lane: Lane,
    statement: &'static str,
    parameters: Vec<ParameterValue>,
) -> Result<Vec<Row>, PgFailure> {
    if lane == Lane::Waiting {
        let _permit = Permit::acquire().await;
        let connection = open(LONG_WAIT).await?;
        return execute(&connection, statement, parameters).await;
    }
    let connection = SharedConnection::acquire(&SHARED, || open(SHORT_WAIT)).await?;
    let result = execute(&connection, statement, parameters).await;
    if let Err(PgFailure::Unavailable(cause)) = &result {
        SHARED.with(|shared| shared.forget(&connection));
        log::warn!("PostgreSQL connection error: {cause}");
    }
    result
}

/// Gives the shared connection back to the host's pool, for work that lasts long and asks seldom:
/// other instances wait for the connections that this one keeps.
pub fn release() {
    SHARED.with(SharedConnection::clear);
}

/// Gives up the shared connection after a statement did not end in time.
pub fn abandon() {
    SHARED.with(SharedConnection::clear);
}

async fn execute(
    connection: &Connection,
    statement: &str,
    parameters: Vec<ParameterValue>,
) -> Result<Vec<Row>, PgFailure> {
    let rows = async {
        let mut result = connection.query(statement, parameters).await?;
        let mut rows = Vec::new();
        while let Some(row) = result.rows().next().await {
            rows.push(Row::new(row));
        }
        result.result().await?;
        Ok(rows)
    };
    rows.await.map_err(classify)
}

async fn open(lock_timeout: Duration) -> Result<Connection, PgFailure> {
    let url = config::text("database_url")
        .await
        .map_err(|_| PgFailure::Unavailable("no database_url".into()))?;
    let url = store_url::postgres(&url).map_err(|reason| {
        let failure = PgFailure::Unavailable(format!("the variable database_url {reason}"));
        log::warn!("PostgreSQL connection error: {failure}");
        failure
    })?;
    let url = url::with_settings(&url, DEADLINE, lock_timeout);
    Connection::open(url.as_ref()).await.map_err(|error| {
        let failure = PgFailure::Unavailable(classify(error).to_string());
        log::warn!("PostgreSQL connection error: {failure}");
        failure
    })
}

/// The permission to open a connection for a statement that waits.
struct Permit(());

impl Permit {
    async fn acquire() -> Self {
        while WAITING.get() >= MAX_WAITING {
            let (wake, woken) = wake::any_task();
            QUEUE.with_borrow_mut(|queue| queue.push(wake));
            woken.await;
        }
        WAITING.set(WAITING.get() + 1);
        Self(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        WAITING.set(WAITING.get() - 1);
        let next = QUEUE.with_borrow_mut(|queue| (!queue.is_empty()).then(|| queue.remove(0)));
        drop(next);
    }
}
