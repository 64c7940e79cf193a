//! `POST /api/v1/messages/stream-tickets`

use http::{StatusCode, header};
use messaging::Result;
use messaging::auth::{TICKET_LIFE, issue_ticket};
use messaging::http::{Call, Reply};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ticket {
    ticket: String,
    expires_in_seconds: u64,
}

/// A ticket that opens one event stream as the caller: `?ticket=`.
pub async fn run(call: Call) -> Result<Reply> {
    let ticket = Ticket {
        ticket: issue_ticket(call.caller()?, call.proof()).await?,
        expires_in_seconds: TICKET_LIFE.as_secs(),
    };
    Ok(Reply::json(StatusCode::CREATED, &ticket).header(header::CACHE_CONTROL, "no-store"))
}
