//! `PATCH /api/v1/messages/:id`

use http::StatusCode;
use messaging::api::{RequestContext, parse_content};
use messaging::ids::{MessageId, UserId};
use messaging::{Result, messages};
use platform::http::Response;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    content: String,
    sender_id: Option<UserId>,
    user_id: Option<UserId>,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let id: MessageId = context.path_id("id")?;
    let identity = context.identity();
    let by_query = context.query("userId")?;
    let body: Body = context.content_json().await?;
    let caller = identity.caller(body.sender_id.or(body.user_id).or(by_query));
    let content = parse_content(body.content).await?;
    let json = messages::edit(id, caller.user(), content).await?;
    Ok(Response::raw_json(StatusCode::OK, json))
}
