//! `GET /api/v1/messages/:id`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::cache::trust;
use messaging::ids::{MessageId, UserId};
use messaging::messages::list_cache;
use messaging::{RedisService, Result, conversations, messages, sealing};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    let id: MessageId = context.path_id("id")?;
    let viewer = context.caller()?.user();
    if let Some(json) = cached(id, viewer).await {
        let json = sealing::open_bytes(json).await?;
        return Ok(Response::raw_json(StatusCode::OK, json));
    }
    let json = messages::find(id, viewer)
        .await?
        .ok_or(messages::not_found())?;
    Ok(Response::raw_json(
        StatusCode::OK,
        sealing::open(json).await?,
    ))
}

/// The cached message, if the cache also says that the viewer may see it.
async fn cached(id: MessageId, viewer: Option<UserId>) -> Option<Vec<u8>> {
    let epoch = trust::trusted().await?;
    let (head, json) = list_cache::message(RedisService::optional(), &epoch, id)
        .await
        .ok()??;
    if viewer.is_some() {
        conversations::cached(head.conversation_id, &epoch)
            .await
            .ok()??
            .is_visible_to(viewer)
            .then_some(())?;
    }
    epoch.is_current().then_some(json)
}
