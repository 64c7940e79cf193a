//! `GET /api/v1/webhooks/:id/deliveries?state=`

use http::StatusCode;
use messaging::Result;
use messaging::api::RequestContext;
use messaging::webhooks::{self, State};
use platform::http::Response;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

pub async fn run(context: RequestContext) -> Result<Response> {
    let id = context.path_id("id")?;
    let state: Option<State> = context.query("state")?;
    let limit = context.query_number("limit", 1..=MAX_LIMIT)?;
    let cursor: Option<i64> = context.query("cursor")?;
    let page = webhooks::list_deliveries(id, state, cursor, limit.unwrap_or(DEFAULT_LIMIT)).await?;
    Ok(Response::json(StatusCode::OK, &page))
}
