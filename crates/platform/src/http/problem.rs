//! The one mapping of [`Error`] to `application/problem+json` (RFC 9457).

use std::borrow::Cow;

use ::http::{HeaderName, StatusCode, header};
use serde::Serialize;

use super::Response;
use crate::Error;
use crate::error::{Credentials, FieldError, Store};

/// RFC 6750, 3: without a token the challenge says nothing more.
const CHALLENGE: &str = r#"Bearer realm="messaging""#;
const INVALID: &str = r#"Bearer realm="messaging", error="invalid_token""#;

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: Cow<'static, str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

/// The response to an error. What is internal stays out of it.
pub fn response(error: &Error) -> Response {
    let status = status(error);
    let response = Response::json(status, &problem(error, status))
        .header(header::CONTENT_TYPE, "application/problem+json");
    let response = response.with_cause(cause(error));
    match extra_header(error) {
        Some((name, value)) => response.header(name, &*value),
        None => response,
    }
}

/// An error as JSON, where it is a part of something else.
#[must_use]
pub fn json(error: &Error) -> String {
    // A struct of numbers and texts has a JSON form.
    serde_json::to_string(&problem(error, status(error))).unwrap_or_default()
}

fn problem(error: &Error, status: StatusCode) -> Problem<'_> {
    let errors = match error {
        Error::Malformed(errors) | Error::Invalid(errors) => errors.as_slice(),
        _ => &[],
    };
    Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail: detail(error),
        errors,
    }
}

/// What the log says of an error, if it is not the client's own doing.
fn cause(error: &Error) -> Option<String> {
    match error {
        Error::Unavailable(..)
        | Error::DeadlineExceeded
        | Error::BadGateway(_)
        | Error::GatewayTimeout
        | Error::Internal(_) => Some(error.to_string()),
        _ => None,
    }
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::Malformed(_) => StatusCode::BAD_REQUEST,
        Error::Unauthorized(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) | Error::InsufficientScope(_) => StatusCode::FORBIDDEN,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
        Error::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Error::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
        Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::TooManyRequests(_) | Error::TooManyStreams(_) => StatusCode::TOO_MANY_REQUESTS,
        Error::DeadlineExceeded | Error::Unavailable(..) => StatusCode::SERVICE_UNAVAILABLE,
        Error::NotSetUp(_) => StatusCode::NOT_IMPLEMENTED,
        Error::BadGateway(_) => StatusCode::BAD_GATEWAY,
        Error::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn detail(error: &Error) -> Cow<'static, str> {
    match error {
        Error::Malformed(_) => "The request is malformed.".into(),
        Error::Invalid(_) => "The request is well-formed but not valid.".into(),
        Error::Forbidden(text) | Error::NotFound(text) | Error::Conflict(text) => (*text).into(),
        Error::Unauthorized(Credentials::Missing) => "A bearer token is needed.".into(),
        Error::Unauthorized(Credentials::Invalid) => "The token or ticket is not valid.".into(),
        Error::InsufficientScope(scope) => format!("This needs the scope {scope}.").into(),
        Error::MethodNotAllowed(allow) => format!("This route takes {allow}.").into(),
        Error::TooLarge(limit) => format!("The body may have at most {limit} bytes.").into(),
        Error::BodyTimeout => "The body did not arrive in time.".into(),
        Error::UnsupportedMediaType(text) => (*text).into(),
        Error::UpgradeRequired => "Open a WebSocket through the gateway.".into(),
        Error::TooManyRequests(wait) => format!("Too many requests. Try again in {wait} s.").into(),
        Error::TooManyStreams(wait) => {
            format!("Too many event streams are open. Close one, or try again in {wait} s.").into()
        }
        Error::DeadlineExceeded => "There was no answer in time. Try again.".into(),
        Error::Unavailable(Store::Postgres, _) => "The database does not answer. Try again.".into(),
        Error::Unavailable(Store::Redis, _) => "Redis does not answer. Try again.".into(),
        Error::NotSetUp(text) => (*text).into(),
        Error::BadGateway(_) => "A service that this needs gave no usable answer.".into(),
        Error::GatewayTimeout => "A service that this needs did not answer in time.".into(),
        Error::Internal(_) => "Something went wrong on our side.".into(),
    }
}

fn extra_header(error: &Error) -> Option<(HeaderName, Cow<'_, str>)> {
    let (name, value) = match error {
        Error::Unauthorized(Credentials::Missing) => (header::WWW_AUTHENTICATE, CHALLENGE.into()),
        Error::Unauthorized(Credentials::Invalid) => (header::WWW_AUTHENTICATE, INVALID.into()),
        Error::InsufficientScope(scope) => (
            header::WWW_AUTHENTICATE,
            format!(r#"{CHALLENGE}, error="insufficient_scope", scope="{scope}""#).into(),
        ),
        Error::MethodNotAllowed(allow) => (header::ALLOW, allow.as_str().into()),
        Error::TooManyRequests(wait) | Error::TooManyStreams(wait) => {
            (header::RETRY_AFTER, wait.to_string().into())
        }
        Error::DeadlineExceeded | Error::Unavailable(..) => (header::RETRY_AFTER, "1".into()),
        _ => return None,
    };
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_stay_in_the_log() {
        for error in [
            Error::internal("select * from secrets"),
            Error::Unavailable(Store::Postgres, "secrets".into()),
        ] {
            assert!(cause(&error).is_some_and(|cause| cause.contains("secrets")));
            assert!(!detail(&error).contains("secrets"));
        }
    }
}
