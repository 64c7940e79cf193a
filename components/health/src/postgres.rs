//! `GET /api/v1/health/postgres`

use std::time::Instant;

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::{Result, relay};
use platform::http::Response;
use serde::Serialize;

use crate::Status;
use crate::redis::milliseconds;

/// What is told of PostgreSQL; all but `status` are null while it is away.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    pub status: Status,
    latency_ms: Option<f64>,
    /// How many events no relay has passed on yet.
    #[serde(skip)]
    pub backlog: Option<i64>,
}

pub async fn run(_: RequestContext) -> Result<Response> {
    Ok(Response::json(StatusCode::OK, &check().await))
}

pub async fn check() -> Health {
    let start = Instant::now();
    match relay::backlog().await {
        Ok(backlog) => Health {
            status: Status::Connected,
            latency_ms: Some(milliseconds(start)),
            backlog: Some(backlog),
        },
        Err(_) => Health {
            status: Status::Disconnected,
            latency_ms: None,
            backlog: None,
        },
    }
}
