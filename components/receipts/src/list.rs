//! `GET /api/v1/messages/messages/:id/receipts`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::{Result, receipts};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    let viewer = context.caller()?.user();
    let json = receipts::of_message(context.path_id("id")?, viewer).await?;
    Ok(Response::raw_json(StatusCode::OK, json))
}
