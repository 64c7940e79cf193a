//! `GET /api/v1/analytics/messages?from=&to=&bucket=hour|day`

use std::time::{SystemTime, UNIX_EPOCH};

use http::StatusCode;
use messaging::Result;
use messaging::analytics::{self, Range};
use messaging::api::RequestContext;
use platform::http::Response;
use platform::redis::millis;

pub async fn run(context: RequestContext) -> Result<Response> {
    let bucket = context.query("bucket")?.unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, millis);
    let range = Range::parse(context.query("from")?, context.query("to")?, bucket, now)?;
    let buckets = analytics::messages(range, bucket).await?;
    Ok(Response::json(StatusCode::OK, &buckets))
}
