//! The one error type of the service. `http::problem` maps it to an answer.

use std::borrow::Cow;

/// What every fallible function here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A member of the request that is not right, for the client.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The member, query parameter or path segment.
    pub field: Cow<'static, str>,
    /// What is wrong with it, without its value.
    pub message: String,
}

/// A backing store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The truth.
    Postgres,
    /// What is fast.
    Redis,
}

/// What is wrong with the proof of identity; never why in detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// There is none.
    Missing,
    /// There is one, and it proves nothing.
    Invalid,
}

/// Why a request gets no ordinary answer.
#[derive(Debug)]
pub enum Error {
    /// 400: not JSON, a wrong type, a non-numeric id, an unknown query value.
    Malformed(Vec<FieldError>),
    /// 401: no valid identity.
    Unauthorized(Credentials),
    /// 403: the caller is known and may not do this.
    Forbidden(&'static str),
    /// 403: only a back end may do this.
    ServiceOnly,
    /// 404: it does not exist, or is hidden from the caller.
    NotFound(&'static str),
    /// 405: a known path, another method; holds the value of `Allow`.
    MethodNotAllowed(&'static str),
    /// 408: the body did not arrive in time.
    Slow,
    /// 409: it collides with what is there.
    Conflict(&'static str),
    /// 413: the body is over the limit (in bytes).
    TooLarge(usize),
    /// 415: the body is not JSON.
    NotJson,
    /// 422: well-formed but invalid.
    Invalid(Vec<FieldError>),
    /// 429: the caller asks too often; holds the seconds until they may again.
    TooManyRequests(u64),
    /// 503: no answer came about in time.
    Late,
    /// 503: a store that this request cannot do without does not answer. The cause is for the log.
    Unavailable(Store, String),
    /// 500: a mistake of ours. The cause is for the log.
    Internal(String),
}

impl Error {
    /// 400 for one member.
    pub fn malformed(field: impl Into<Cow<'static, str>>, message: impl ToString) -> Self {
        Self::Malformed(vec![FieldError {
            field: field.into(),
            message: message.to_string(),
        }])
    }

    /// 422 for one member.
    pub fn invalid(field: impl Into<Cow<'static, str>>, message: impl ToString) -> Self {
        Self::Invalid(vec![FieldError {
            field: field.into(),
            message: message.to_string(),
        }])
    }

    /// 500 with a cause for the log.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::Internal(cause.into())
    }

    /// 404 for a conversation, also one that is hidden from the caller.
    #[must_use]
    pub const fn no_conversation() -> Self {
        Self::NotFound("There is no such conversation.")
    }

    /// 404 for a message, also one in a conversation that is hidden from the caller.
    #[must_use]
    pub const fn no_message() -> Self {
        Self::NotFound("There is no such message.")
    }
}

impl std::fmt::Display for Error {
    /// For the log of a component that has no client to answer.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(store, cause) => write!(f, "{store:?} is unavailable: {cause}"),
            Self::Internal(cause) => f.write_str(cause),
            other => write!(f, "{other:?}"),
        }
    }
}
