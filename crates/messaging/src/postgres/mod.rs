//! PostgreSQL: the truth.
//!
//! One connection per component instance, taken from the host's pool and shared
//! by the instance's requests: their statements wait in line, and where that
//! takes long the host makes more instances. Two were slower: the pool is for
//! all instances, and whoever opens a connection when it is empty waits longest.
//! Every request is one statement wherever that is possible, so nothing is ever
//! left half done.

pub mod parameters;
mod row;
mod url;

use std::time::Duration;

use spin_sdk::pg::{Connection, Error as SdkError, PgError, QueryError};
pub use spin_sdk::pg::{DbValue, ParameterValue};

pub use row::{Row, decode};

use crate::error::Store;
use crate::log::redact;
use crate::shared::Shared;
use crate::{Error, clock, config, log_line};

/// How long a request waits for one statement, and the server works on it.
const DEADLINE: Duration = Duration::from_secs(5);

/// Why a statement gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PgFailure {
    /// PostgreSQL cannot be reached, or cannot serve now.
    #[error("{0}")]
    Down(String),
    /// The statement or a value is not right: a mistake of ours.
    #[error("{0}")]
    Failed(String),
}

impl From<PgFailure> for Error {
    fn from(failure: PgFailure) -> Self {
        match failure {
            PgFailure::Down(cause) => Self::Unavailable(Store::Postgres, cause),
            other => Self::Internal(format!("PostgreSQL: {other}")),
        }
    }
}

/// Whether a statement may run twice without an effect that shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It reads, or repeating it changes nothing more.
    Safe,
    /// If the connection is lost under way, nobody knows whether it ran.
    Unsafe,
}

thread_local! {
    static CONNECTION: Shared<Connection> = const { Shared::new() };
}

/// Runs one statement and collects its rows.
pub async fn query(
    repeat: Repeat,
    statement: &'static str,
    parameters: Vec<ParameterValue>,
) -> Result<Vec<Row>, PgFailure> {
    let deadline = clock::timeout(DEADLINE, async {
        match query_once(statement, parameters.clone()).await {
            // Most often the connection went stale while nobody used it.
            Err(PgFailure::Down(_)) if repeat == Repeat::Safe => {
                query_once(statement, parameters).await
            }
            answer => answer,
        }
    });
    deadline.await.unwrap_or_else(|clock::Elapsed| {
        CONNECTION.with(Shared::clear);
        Err(PgFailure::Down("no answer within the deadline".into()))
    })
}

/// Gives the instance's connection back to the host's pool, for work that
/// lasts long and asks seldom: what it keeps, others wait for.
pub fn release() {
    CONNECTION.with(Shared::clear);
}

/// Runs one statement that gives at most one row.
pub async fn query_one(
    repeat: Repeat,
    statement: &'static str,
    parameters: Vec<ParameterValue>,
) -> Result<Option<Row>, PgFailure> {
    Ok(query(repeat, statement, parameters).await?.pop())
}

async fn query_once(
    statement: &'static str,
    parameters: Vec<ParameterValue>,
) -> Result<Vec<Row>, PgFailure> {
    let connection = Shared::acquire(&CONNECTION, open).await?;
    let answer = async {
        let mut result = connection.query(statement, parameters).await?;
        let mut rows = Vec::new();
        while let Some(row) = result.rows().next().await {
            rows.push(Row::new(row));
        }
        result.result().await?;
        Ok(rows)
    };
    answer.await.map_err(|error| {
        let failure = classify(error);
        if matches!(failure, PgFailure::Down(_)) {
            CONNECTION.with(|shared| shared.forget(&connection));
            log_line!("WARN", "PostgreSQL connection error: {failure}");
        }
        failure
    })
}

async fn open() -> Result<Connection, PgFailure> {
    let url = config::text("database_url")
        .await
        .map_err(|_| PgFailure::Down("no database_url".into()))?;
    let url = url::with_timeouts(&url, DEADLINE);
    Connection::open(url.as_ref()).await.map_err(|error| {
        let failure = PgFailure::Down(classify(error).to_string());
        log_line!("WARN", "PostgreSQL connection error: {failure}");
        failure
    })
}

/// SQLSTATE classes of a server that cannot serve now: connection exceptions,
/// insufficient resources, operator intervention, and errors outside of it.
const PASSING: [&str; 4] = ["08", "53", "57", "58"];

fn classify(error: SdkError) -> PgFailure {
    match error {
        SdkError::PgError(PgError::QueryFailed(QueryError::DbError(error))) => {
            // The detail can hold values of the row; the code and the message cannot be more than names.
            let text = format!("{} (SQLSTATE {})", redact(&error.message), error.code);
            if PASSING.iter().any(|class| error.code.starts_with(class)) || error.code == "25006" {
                PgFailure::Down(text)
            } else {
                PgFailure::Failed(text)
            }
        }
        SdkError::PgError(PgError::ConnectionFailed(text)) => PgFailure::Down(redact(&text)),
        SdkError::PgError(PgError::QueryFailed(QueryError::Text(text)) | PgError::Other(text)) => {
            PgFailure::Down(redact(&text))
        }
        SdkError::PgError(PgError::BadParameter(text) | PgError::ValueConversionFailed(text)) => {
            PgFailure::Failed(redact(&text))
        }
        SdkError::Decode(text) => PgFailure::Failed(text),
    }
}
