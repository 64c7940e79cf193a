//! `GET /api/v1/conversations/:id`

use http::StatusCode;
use messaging::http::{Call, Reply};
use messaging::{Result, conversations};

pub async fn run(call: Call) -> Result<Reply> {
    let viewer = call.caller()?.user();
    let conversation = conversations::visible(call.path_id("id")?, viewer).await?;
    Ok(Reply::raw_json(StatusCode::OK, conversation.json))
}
