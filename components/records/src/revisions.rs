//! `GET /api/v1/messages/:id/revisions`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::{Result, records};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    let viewer = context.viewer_or_records()?;
    let json = records::revisions(context.path_id("id")?, viewer).await?;
    Ok(Response::raw_json(StatusCode::OK, json))
}
