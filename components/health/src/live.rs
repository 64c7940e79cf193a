//! `GET /api/v1/health/live`: the process answers. Touches no store.

use http::StatusCode;
use messaging::Result;
use messaging::http::{Call, Reply};

pub async fn run(_: Call) -> Result<Reply> {
    Ok(Reply::raw_json(StatusCode::OK, r#"{"status":"ok"}"#))
}
