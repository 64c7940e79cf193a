//! `GET /api/v1/conversations/:id`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::{Result, conversations, sealing};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    let viewer = context.caller()?.user();
    let conversation = conversations::visible(context.path_id("id")?, viewer).await?;
    let json = sealing::open(conversation.json).await?;
    Ok(Response::raw_json(StatusCode::OK, json))
}
