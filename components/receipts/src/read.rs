//! `POST /api/v1/messages/messages/:id/read`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::ids::{MessageId, UserId};
use messaging::{Result, messages, receipts};
use platform::http::Response;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_id: UserId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    message_id: MessageId,
    user_id: UserId,
    read_at: String,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let message_id = context.path_id("id")?;
    let identity = context.identity();
    let Body { user_id } = context.json().await?;
    let caller = identity.caller(Some(user_id));
    if let Err(forbidden) = caller.must_be(user_id) {
        // Hidden comes before forbidden.
        let visible = messages::find(message_id, caller.user()).await?;
        return Err(visible.map_or(messages::not_found(), |_| forbidden));
    }
    let answer = Answer {
        message_id,
        user_id,
        read_at: receipts::read(message_id, user_id).await?,
    };
    Ok(Response::json(StatusCode::OK, &answer))
}
