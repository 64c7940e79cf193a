//! `DELETE /api/v1/conversations/:id/holds/:holdId`

use messaging::api::RequestContext;
use messaging::{Result, records};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    context.must_have_records()?;
    let (id, hold) = (context.path_id("id")?, context.path_id("holdId")?);
    records::release_hold(id, hold, &context.actor()?).await?;
    Ok(Response::no_content())
}
