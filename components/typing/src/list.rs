//! `GET /api/v1/messages/conversations/:id/typing`

use futures::join;
use http::StatusCode;
use messaging::api::RequestContext;
use messaging::ids::{ConversationId, UserId};
use messaging::{Result, conversations, typing};
use platform::http::Response;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    conversation_id: ConversationId,
    users: Vec<UserId>,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let conversation_id = context.path_id("id")?;
    let viewer = context.caller()?.user();
    let (visible, users) = join!(
        conversations::visible(conversation_id, viewer),
        typing::users(conversation_id),
    );
    let conversation = visible?;
    let mut users = users?;
    users.retain(|user| conversation.participants().contains(user));
    let answer = Answer {
        conversation_id,
        users,
    };
    Ok(Response::json(StatusCode::OK, &answer))
}
