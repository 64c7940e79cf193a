//! `GET /api/v1/conversations/:id/holds`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::{Result, records};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    context.must_have_records()?;
    let holds = records::holds(context.path_id("id")?).await?;
    Ok(Response::raw_json(
        StatusCode::OK,
        format!("[{}]", holds.join(",")),
    ))
}
