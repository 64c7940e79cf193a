//! `GET /api/v1/messages/conversations/:id/changes?after=&limit=`: a conversation's events for clients
//! that ask for them now and then.

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::events::{self, EventPage};
use messaging::{Result, conversations, relay};
use platform::http::Response;

/// The most events of one page.
const LIMIT: usize = 100;

pub async fn run(context: RequestContext) -> Result<Response> {
    let id = context.path_id("id")?;
    let viewer = context.caller()?.user();
    let after = context.query_number("after", 0..=usize::MAX)?.unwrap_or(0);
    let limit = context.query_number("limit", 1..=LIMIT)?.unwrap_or(LIMIT);
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let page = events::page_after(id, viewer, after, limit).await?;
    let page = page.ok_or(conversations::not_found())?;
    relay::wake_up_if(page.unrelayed).await;
    Ok(Response::raw_json(StatusCode::OK, body(&page, after)))
}

/// `next` is where the next request goes on; a client that is ahead of the conversation goes back.
fn body(page: &EventPage, after: i64) -> String {
    let last = page.events.last().map(|event| event.seq.get());
    let next = last.unwrap_or(after.min(page.newest));
    let changes: Vec<String> = page.events.iter().map(events::Event::to_json).collect();
    format!(r#"{{"changes":[{}],"next":{next}}}"#, changes.join(","))
}
