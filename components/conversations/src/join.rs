//! `POST /api/v1/conversations/:id/participants`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::ids::{ConversationId, UserId};
use messaging::{Result, conversations};
use platform::http::Response;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_id: UserId,
}

/// 201 with the conversation; 200 if the user takes part already.
pub async fn run(context: RequestContext) -> Result<Response> {
    let id: ConversationId = context.path_id("id")?;
    let caller = context.caller_by_query()?;
    let actor = context.actor()?;
    let body: Body = context.json().await?;
    let (json, is_new) = conversations::join(id, body.user_id, caller.user(), &actor).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(Response::raw_json(status, json))
}
