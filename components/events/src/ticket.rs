//! `POST /api/v1/messages/stream-tickets`

use http::{StatusCode, header};
use messaging::Result;
use messaging::api::RequestContext;
use messaging::auth::{TICKET_TTL, issue_ticket};
use platform::http::Response;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ticket {
    ticket: String,
    expires_in_seconds: u64,
}

/// A ticket that opens one event stream as the caller: `?ticket=`.
pub async fn run(context: RequestContext) -> Result<Response> {
    let ticket = Ticket {
        ticket: issue_ticket(context.caller()?, context.authentication()).await?,
        expires_in_seconds: TICKET_TTL.as_secs(),
    };
    Ok(Response::json(StatusCode::CREATED, &ticket).header(header::CACHE_CONTROL, "no-store"))
}
