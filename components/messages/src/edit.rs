//! `PATCH /api/v1/messages/:id`

use http::StatusCode;
use messaging::content::Content;
use messaging::http::{Call, Reply, max_content_bytes};
use messaging::ids::{MessageId, UserId};
use messaging::{Error, Result, cache, messages};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    content: String,
    sender_id: Option<UserId>,
    user_id: Option<UserId>,
}

pub async fn run(call: Call) -> Result<Reply> {
    let id: MessageId = call.path_id("id")?;
    let identity = call.identity();
    let by_query = call.query("userId")?;
    let body: Body = call.content_json().await?;
    let caller = identity.caller(body.sender_id.or(body.user_id).or(by_query));
    let content = Content::parse(body.content, max_content_bytes().await?)
        .map_err(|error| Error::invalid("content", error))?;
    let change = messages::edit(id, caller.user(), content).await?;
    cache::share_change(&change).await;
    Ok(Reply::raw_json(
        StatusCode::OK,
        change.event.message.unwrap_or_default(),
    ))
}
