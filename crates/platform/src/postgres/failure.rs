//! Why a statement gave nothing.

use spin_sdk::pg::{Error as SdkError, PgError, QueryError};

use crate::Error;
use crate::error::Store;
use crate::log::redact;

/// Why a statement gave nothing. Only [`Unavailable`](Self::Unavailable) leaves open whether it
/// was carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PgFailure {
    /// PostgreSQL cannot be reached, or cannot serve now.
    #[error("{0}")]
    Unavailable(String),
    /// It waited too long for a lock, or was cancelled: it was not carried out.
    #[error("{0}")]
    Locked(String),
    /// It conflicted with another transaction: it was not carried out.
    #[error("{0}")]
    Conflict(String),
    /// The statement or a value is not right: a mistake of ours.
    #[error("{0}")]
    Failed(String),
}

impl From<PgFailure> for Error {
    fn from(failure: PgFailure) -> Self {
        match failure {
            PgFailure::Failed(cause) => Self::Internal(format!("PostgreSQL: {cause}")),
            passing => Self::Unavailable(Store::Postgres, passing.to_string()),
        }
    }
}

/// SQLSTATE classes of a server that cannot serve now: connection exceptions, insufficient
/// resources, operator intervention, and errors outside of it.
const UNAVAILABLE: [&str; 4] = ["08", "53", "57", "58"];
/// `read_only_sql_transaction`: after a failover, the old primary.
const READ_ONLY: &str = "25006";
/// `query_canceled`, by `statement_timeout` or by an operator, and `lock_not_available`.
const LOCKED: [&str; 2] = ["57014", "55P03"];
/// Transaction rollback: serialization failures and deadlocks.
const CONFLICT: &str = "40";

pub(super) fn classify(error: SdkError) -> PgFailure {
    match error {
        SdkError::PgError(PgError::QueryFailed(QueryError::DbError(error))) => {
            // The detail can hold values of the row; code and message hold names at the most.
            let text = format!("{} (SQLSTATE {})", redact(&error.message), error.code);
            by_code(&error.code, text)
        }
        SdkError::PgError(
            PgError::ConnectionFailed(text)
            | PgError::QueryFailed(QueryError::Text(text))
            | PgError::Other(text),
        ) => PgFailure::Unavailable(redact(&text)),
        SdkError::PgError(PgError::BadParameter(text) | PgError::ValueConversionFailed(text)) => {
            PgFailure::Failed(redact(&text))
        }
        SdkError::Decode(text) => PgFailure::Failed(text),
    }
}

fn by_code(code: &str, text: String) -> PgFailure {
    if LOCKED.contains(&code) {
        PgFailure::Locked(text)
    } else if code.starts_with(CONFLICT) {
        PgFailure::Conflict(text)
    } else if code == READ_ONLY || UNAVAILABLE.iter().any(|class| code.starts_with(class)) {
        PgFailure::Unavailable(text)
    } else {
        PgFailure::Failed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_whether_the_statement_may_be_tried_again() {
        let failure = |code| by_code(code, "x".into());
        for code in ["57014", "55P03"] {
            assert_eq!(failure(code), PgFailure::Locked("x".into()), "{code}");
        }
        for code in ["40001", "40P01"] {
            assert_eq!(failure(code), PgFailure::Conflict("x".into()), "{code}");
        }
        for code in ["08006", "53300", "57P01", "57P03", "58030", "25006"] {
            assert_eq!(failure(code), PgFailure::Unavailable("x".into()), "{code}");
        }
        for code in ["42P01", "23505", "22012"] {
            assert_eq!(failure(code), PgFailure::Failed("x".into()), "{code}");
        }
    }
}
