//! `POST /api/v1/records/retention`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::{Result, records};
use platform::http::Response;

/// Erases a bounded part of what is older than its policy allows.
pub async fn run(context: RequestContext) -> Result<Response> {
    context.must_have_records()?;
    let retained = records::retain(&context.actor()?).await?;
    Ok(Response::json(StatusCode::OK, &retained))
}
