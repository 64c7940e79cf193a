//! `GET /api/v1/health/live`: the process answers. Touches no store.

use http::StatusCode;
use messaging::Result;
use messaging::api::RequestContext;
use platform::http::Response;

pub async fn run(_: RequestContext) -> Result<Response> {
    Ok(Response::raw_json(StatusCode::OK, r#"{"status":"ok"}"#))
}
