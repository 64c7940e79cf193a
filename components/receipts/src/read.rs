//! `POST /api/v1/messages/messages/:id/read`

use http::StatusCode;
use messaging::http::{Call, Reply};
use messaging::ids::{MessageId, UserId};
use messaging::{Error, Result, messages, receipts};
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

pub async fn run(call: Call) -> Result<Reply> {
    let message_id = call.path_id("id")?;
    let identity = call.identity();
    let Body { user_id } = call.json().await?;
    let caller = identity.caller(Some(user_id));
    if let Err(forbidden) = caller.must_be(user_id) {
        // Hidden comes before forbidden.
        let visible = messages::find(message_id, caller.user()).await?;
        return Err(visible.map_or(Error::no_message(), |_| forbidden));
    }
    let read = receipts::read(message_id, user_id).await?;
    if let Some(event) = &read.event {
        receipts::share(event).await;
    }
    let answer = Answer {
        message_id,
        user_id,
        read_at: read.read_at,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}
