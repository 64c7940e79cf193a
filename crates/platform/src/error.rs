//! The one error type of the service. [`crate::http`] maps it to a response.

use std::borrow::Cow;

/// What every fallible function of the service returns.
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
    /// PostgreSQL.
    Postgres,
    /// Redis.
    Redis,
}

/// What is wrong with the credentials of a request; never why in detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// There are none.
    Missing,
    /// There are some, and they prove nothing.
    Invalid,
}

/// Why a request gets no ordinary response. Its `Display` is for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: not JSON, a wrong type, a non-numeric id, an unknown query value.
    #[error("malformed request: {0:?}")]
    Malformed(Vec<FieldError>),
    /// 401: no valid identity.
    #[error("no valid identity: {0:?} credentials")]
    Unauthorized(Credentials),
    /// 403: the caller is known and may not do this.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// 403: this needs a scope that the caller's token lacks.
    #[error("the scope {0} is missing")]
    InsufficientScope(&'static str),
    /// 404: it does not exist, or is hidden from the caller.
    #[error("not found: {0}")]
    NotFound(&'static str),
    /// 405: a known path, another method; holds the value of `Allow`.
    #[error("method not allowed; allowed: {0}")]
    MethodNotAllowed(String),
    /// 408: the body did not arrive in time.
    #[error("the body did not arrive in time")]
    BodyTimeout,
    /// 409: it conflicts with what is there.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// 413: the body is over the limit (in bytes).
    #[error("the body is over {0} bytes")]
    TooLarge(usize),
    /// 415: the body is not JSON; says what it has to be.
    #[error("unsupported media type: {0}")]
    UnsupportedMediaType(&'static str),
    /// 426: this is answered to WebSocket handshakes that come through the gateway. Hosts let no
    /// component send `Upgrade`.
    #[error("no handshake through the gateway")]
    UpgradeRequired,
    /// 422: well-formed but invalid.
    #[error("invalid request: {0:?}")]
    Invalid(Vec<FieldError>),
    /// 429: the caller is over its rate; holds the seconds until its next request may be made.
    #[error("over the rate limit")]
    TooManyRequests(u64),
    /// 429: the caller has too many event streams open; holds the seconds until another may be.
    #[error("over the limit of open event streams")]
    TooManyStreams(u64),
    /// 503: there was no response within the deadline of a request.
    #[error("no response within the deadline")]
    DeadlineExceeded,
    /// 503: a store that this request cannot do without is unavailable. The cause is for the log.
    #[error("{0:?} is unavailable: {1}")]
    Unavailable(Store, String),
    /// 501: the operator has not set up what this needs.
    #[error("not set up: {0}")]
    NotSetUp(&'static str),
    /// 502: a service that this asks gave no usable response. The cause is for the log.
    #[error("bad response of another service: {0}")]
    BadGateway(String),
    /// 504: a service that this asks did not respond in time.
    #[error("another service did not respond in time")]
    GatewayTimeout,
    /// 500: a mistake of ours. The cause is for the log.
    #[error("{0}")]
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
}
