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
    let body: Body = context.json().await?;
    let status = match conversations::join(id, body.user_id, caller.user()).await? {
        Some(event) => {
            conversations::share(&event).await;
            StatusCode::CREATED
        }
        None => StatusCode::OK,
    };
    let conversation = conversations::visible(id, caller.user()).await?;
    Ok(Response::raw_json(status, conversation.json))
}
