//! `GET /api/v1/messages/:id`

use http::StatusCode;
use messaging::http::{Call, Reply};
use messaging::ids::{ConversationId, MessageId, UserId};
use messaging::redis::{RedisService, keys};
use messaging::{Error, Result, conversations, messages};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    conversation_id: ConversationId,
}

pub async fn run(call: Call) -> Result<Reply> {
    let id: MessageId = call.path_id("id")?;
    let viewer = call.caller()?.user();
    if let Some(json) = cached(id, viewer).await {
        return Ok(Reply::raw_json(StatusCode::OK, json));
    }
    let json = messages::find(id, viewer)
        .await?
        .ok_or(Error::no_message())?;
    Ok(Reply::raw_json(StatusCode::OK, json))
}

/// The cached message, if the cache also says that the viewer may see it.
async fn cached(id: MessageId, viewer: Option<UserId>) -> Option<Vec<u8>> {
    let json = RedisService::optional()
        .get(&keys::message(id))
        .await
        .ok()??;
    if viewer.is_some() {
        let place: Place = serde_json::from_slice(&json).ok()?;
        conversations::cached(place.conversation_id)
            .await
            .ok()??
            .is_visible_to(viewer)
            .then_some(())?;
    }
    Some(json)
}
