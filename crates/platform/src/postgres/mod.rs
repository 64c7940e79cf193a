//! PostgreSQL.
//!
//! # Layout
//!
//! - [`query`], [`query_one`]: one statement on the connection that the instance keeps.
//! - [`PgFailure`]: why a statement gave nothing, and whether it may have been carried out.
//! - [`parameters`], [`Row`]: values on the way in and out.
//! - `connection`: the connection of an instance, and those for statements that wait for a lock.
//! - `url`: the settings that every session gets.
//!
//! One connection per component instance, taken from the host's pool and shared by the instance's
//! requests: their statements queue on it, and where that takes long the host makes more
//! instances. Two connections were slower (99th percentile of a post 200 ms instead of 20 under
//! load): the pool is for all instances, and a request that opens a connection when the pool is
//! empty waits longest.

mod connection;
mod failure;
pub mod parameters;
mod row;
mod url;

use std::future::Future;
use std::time::Duration;

pub use spin_sdk::pg::{DbValue, ParameterValue};

pub use connection::release;
pub use failure::PgFailure;
pub use row::{Column, Row, decode};

use crate::clock;
use connection::Lane;

/// How long a request waits for one statement, and the server works on it.
const DEADLINE: Duration = Duration::from_secs(5);
/// How often a statement is tried that the server aborted to let another one pass.
const CONFLICT_ATTEMPTS: u32 = 20;

/// Whether a statement may run twice without a visible effect (idempotency of the statement).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It reads, or running it again changes nothing more.
    Safe,
    /// If the connection is lost before the result, it may have been carried out or not.
    Unsafe,
}

/// Runs one statement and collects its rows.
///
/// A statement that was aborted by the server is known not to have been carried out and is tried
/// again: at once if it conflicted with another transaction; on a connection of its own if it
/// waited too long for a row, so that the statements behind it do not wait with it.
pub async fn query(
    repeat: Repeat,
    statement: &'static str,
    parameters: Vec<ParameterValue>,
) -> Result<Vec<Row>, PgFailure> {
    let attempts = attempt_until_done(repeat, Lanes::Both, statement, &parameters);
    within_deadline(attempts).await
}

async fn within_deadline(
    attempts: impl Future<Output = Result<Vec<Row>, PgFailure>>,
) -> Result<Vec<Row>, PgFailure> {
    clock::timeout(DEADLINE, attempts)
        .await
        .unwrap_or_else(|clock::Elapsed| {
            connection::abandon();
            Err(PgFailure::Unavailable(
                "no result within the deadline".into(),
            ))
        })
}

/// Which connections a statement may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lanes {
    /// The shared one, and one of its own once it has waited too long there.
    Both,
    SharedOnly,
    WaitingOnly,
}

/// Runs one statement and does not wait for a row that another transaction holds for long.
pub async fn query_without_waiting(
    repeat: Repeat,
    statement: &'static str,
    parameters: Vec<ParameterValue>,
) -> Result<Vec<Row>, PgFailure> {
    let attempts = attempt_until_done(repeat, Lanes::SharedOnly, statement, &parameters);
    within_deadline(attempts).await
}

/// Runs one statement on a connection of its own, because the row that it changes is held by another
/// transaction.
pub async fn query_waiting(
    repeat: Repeat,
    statement: &'static str,
    parameters: Vec<ParameterValue>,
) -> Result<Vec<Row>, PgFailure> {
    let attempts = attempt_until_done(repeat, Lanes::WaitingOnly, statement, &parameters);
    within_deadline(attempts).await
}

/// Runs one statement that gives at most one row.
pub async fn query_one(
    repeat: Repeat,
    statement: &'static str,
    parameters: Vec<ParameterValue>,
) -> Result<Option<Row>, PgFailure> {
    Ok(query(repeat, statement, parameters).await?.pop())
}

async fn attempt_until_done(
    repeat: Repeat,
    lanes: Lanes,
    statement: &'static str,
    parameters: &[ParameterValue],
) -> Result<Vec<Row>, PgFailure> {
    let mut lane = match lanes {
        Lanes::WaitingOnly => Lane::Waiting,
        Lanes::Both | Lanes::SharedOnly => Lane::Shared,
    };
    let (mut reconnected, mut conflicts) = (false, 0);
    loop {
        match connection::run(lane, statement, parameters.to_vec()).await {
            // Most often the connection went stale while it was idle.
            Err(PgFailure::Unavailable(_)) if repeat == Repeat::Safe && !reconnected => {
                reconnected = true;
            }
            Err(PgFailure::Locked(_)) if lanes != Lanes::SharedOnly => lane = Lane::Waiting,
            Err(PgFailure::Conflict(_)) if conflicts < CONFLICT_ATTEMPTS => conflicts += 1,
            Ok(rows) if reconnected => {
                return Ok(rows.into_iter().map(Row::of_repetition).collect());
            }
            result => return result,
        }
    }
}
