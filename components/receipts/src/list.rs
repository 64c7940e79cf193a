//! `GET /api/v1/messages/messages/:id/receipts`

use http::StatusCode;
use messaging::http::{Call, Reply};
use messaging::{Result, receipts};

pub async fn run(call: Call) -> Result<Reply> {
    let viewer = call.caller()?.user();
    let json = receipts::of_message(call.path_id("id")?, viewer).await?;
    Ok(Reply::raw_json(StatusCode::OK, json))
}
