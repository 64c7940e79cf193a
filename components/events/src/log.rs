//! `GET /api/v1/events?after=&limit=&wait=`: all events in the order of their commits.

use std::time::Duration;

use http::StatusCode;
use messaging::Result;
use messaging::api::RequestContext;
use messaging::events::{self, Event, LogCursor};
use platform::clock::{self, Instant};
use platform::http::Response;

/// The most events of one page.
const LIMIT: usize = 100;
/// The longest wait for an event, in seconds.
const LONGEST_WAIT: usize = 25;
/// How often a request that waits looks.
const LOOK: Duration = Duration::from_millis(250);

/// `next` is where the next request goes on. Without events the response waits for the first, if the
/// caller asks for that.
pub async fn run(context: RequestContext) -> Result<Response> {
    context.caller_by_query()?.must_be_service()?;
    let after: LogCursor = context.query("after")?.unwrap_or_default();
    let limit = context.query_number("limit", 1..=LIMIT)?.unwrap_or(LIMIT);
    let wait = context.query_number("wait", 0..=LONGEST_WAIT)?.unwrap_or(0);
    let end = Instant::now() + Duration::from_secs(wait as u64);
    loop {
        let (page, next) = events::committed_after(after, limit).await?;
        if !page.is_empty() || Instant::now() >= end {
            return Ok(Response::raw_json(StatusCode::OK, body(&page, next)));
        }
        clock::sleep(LOOK).await;
    }
}

fn body(page: &[Event], next: LogCursor) -> String {
    let events: Vec<String> = page.iter().map(Event::to_json).collect();
    format!(r#"{{"events":[{}],"next":"{next}"}}"#, events.join(","))
}
