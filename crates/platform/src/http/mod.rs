//! HTTP: from a request of the host to a [`Request`], from a result to a [`Response`].
//!
//! # Layout
//!
//! - [`serve`]: what every request gets: an id, and the cause of an error in the log.
//!   [`within_deadline`]: its response, or 503.
//! - [`Request`], [`Headers`], [`match_path`]: what a client sent, taken apart on demand.
//! - [`parse_json`]: a body as one JSON object, read strictly.
//! - [`Response`]: what it gets. `problem`: what it gets instead when something is wrong.
//! - [`SseSender`], [`SseEvent`], [`LastEventId`]: responses that go on, as Server-Sent Events.
//! - [`post_json`]: requests that the service itself sends.
//! - `incoming`, `outgoing`: the host's side of both.

pub mod client;
mod headers;
mod incoming;
mod json;
mod outgoing;
mod path_pattern;
mod problem;
mod request;
mod request_id;
mod response;
mod sse;
mod sse_sender;

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use spin_sdk::wasip3::http::types::{self as wasi, ErrorCode};

pub use client::{post_json, post_json_with};
pub use headers::Headers;
pub use json::parse as parse_json;
pub use path_pattern::{PathParameters, match_path};
pub use problem::json as problem_json;
pub use request::Request;
pub use response::Response;
pub use sse::{LastEventId, SseEvent};
pub use sse_sender::{LIFETIME_OVER, SseSender, StreamEnd, event_stream, event_text, opening};

use crate::{Error, Result, clock, log};

/// How long a request may take until its response begins, whatever waits it adds up: longer than
/// a store's own deadlines, shorter than clients wait.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Responds to a request by `handle`. Every response carries `X-Request-Id` and, unless it is a
/// stream, `Content-Length`.
pub async fn serve<F>(
    request: wasi::Request,
    handle: impl FnOnce(Request) -> F,
) -> std::result::Result<wasi::Response, ErrorCode>
where
    F: Future<Output = Response>,
{
    log::init();
    let request = incoming::receive(request)?;
    let id = Rc::clone(&request.id);
    let response = clock::with_coarse_timer(handle(request)).await;
    if let Some(cause) = response.cause() {
        ::log::error!("request {id}: {cause}");
    }
    response.into_response(&id)
}

/// The result of an action, if there is one before the deadline.
pub async fn within_deadline(
    deadline: Duration,
    action: impl Future<Output = Result<Response>>,
) -> Result<Response> {
    clock::timeout(deadline, action)
        .await
        .unwrap_or(Err(Error::DeadlineExceeded))
}

/// The response to a result.
#[must_use]
pub fn respond(result: Result<Response>) -> Response {
    result.unwrap_or_else(|error| problem::response(&error))
}
