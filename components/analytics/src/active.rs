//! `GET /api/v1/analytics/active-users?window=1d|7d|30d`

use http::StatusCode;
use messaging::Result;
use messaging::analytics::{self, Window};
use messaging::api::RequestContext;
use platform::http::Response;
use serde::Serialize;

#[derive(Serialize)]
struct Active {
    window: Window,
    count: i64,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let window = context.required_query("window")?;
    let count = analytics::active_users(window).await?;
    Ok(Response::json(StatusCode::OK, &Active { window, count }))
}
