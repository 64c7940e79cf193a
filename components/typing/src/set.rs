//! `POST /api/v1/messages/conversations/:id/typing`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::ids::{ConversationId, UserId};
use messaging::{Result, conversations, typing};
use platform::http::Response;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_id: UserId,
    is_typing: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    conversation_id: ConversationId,
    user_id: UserId,
    is_typing: bool,
}

/// Nothing is written before it is sure that the user takes part.
pub async fn run(context: RequestContext) -> Result<Response> {
    let conversation_id: ConversationId = context.path_id("id")?;
    let identity = context.identity();
    let Body { user_id, is_typing } = context.json().await?;
    let caller = identity.caller(Some(user_id));
    // Hidden comes before forbidden; a service sees what the user sees.
    let viewer = caller.user().unwrap_or(user_id);
    conversations::visible(conversation_id, Some(viewer)).await?;
    caller.must_be(user_id)?;
    typing::set(conversation_id, user_id, is_typing).await?;
    let answer = Answer {
        conversation_id,
        user_id,
        is_typing,
    };
    Ok(Response::json(StatusCode::OK, &answer))
}
