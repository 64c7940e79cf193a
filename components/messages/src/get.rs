//! `GET /api/v1/messages/:id`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::ids::{MessageId, UserId};
use messaging::messages::MessageHead;
use messaging::{RedisService, Result, conversations, keys, messages};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    let id: MessageId = context.path_id("id")?;
    let viewer = context.caller()?.user();
    if let Some(json) = cached(id, viewer).await {
        return Ok(Response::raw_json(StatusCode::OK, json));
    }
    let json = messages::find(id, viewer)
        .await?
        .ok_or(messages::not_found())?;
    Ok(Response::raw_json(StatusCode::OK, json))
}

/// The cached message, if the cache also says that the viewer may see it.
async fn cached(id: MessageId, viewer: Option<UserId>) -> Option<Vec<u8>> {
    let json = RedisService::optional()
        .get(&keys::message(id))
        .await
        .ok()??;
    if viewer.is_some() {
        let head = MessageHead::parse(&json)?;
        conversations::cached(head.conversation_id)
            .await
            .ok()??
            .is_visible_to(viewer)
            .then_some(())?;
    }
    Some(json)
}
