//! `GET /api/v1/messages/conversations/:id/typing`

use futures::join;
use http::StatusCode;
use messaging::http::{Call, Reply};
use messaging::ids::{ConversationId, UserId};
use messaging::{Result, conversations, typing};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    conversation_id: ConversationId,
    users: Vec<UserId>,
}

pub async fn run(call: Call) -> Result<Reply> {
    let conversation_id = call.path_id("id")?;
    let viewer = call.caller()?.user();
    let (visible, users) = join!(
        conversations::visible(conversation_id, viewer),
        typing::users(conversation_id),
    );
    visible?;
    let answer = Answer {
        conversation_id,
        users: users?,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}
