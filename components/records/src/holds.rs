//! `POST /api/v1/conversations/:id/holds`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::ids::ConversationId;
use messaging::records::{self, Reason};
use messaging::{Error, Result};
use platform::http::Response;
use serde::Deserialize;

#[derive(Deserialize)]
struct Body {
    reason: String,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    context.must_have_records()?;
    let id: ConversationId = context.path_id("id")?;
    let actor = context.actor()?;
    let body: Body = context.json().await?;
    let reason = Reason::parse(body.reason).map_err(|error| Error::invalid("reason", error))?;
    let json = records::place_hold(id, reason, &actor).await?;
    Ok(Response::raw_json(StatusCode::CREATED, json))
}
