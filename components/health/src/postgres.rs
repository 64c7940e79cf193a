//! `GET /api/v1/health/postgres`

use std::time::Instant;

use http::StatusCode;
use messaging::Result;
use messaging::api::RequestContext;
use messaging::relay::{self, RelayState};
use platform::http::Response;
use serde::Serialize;

use crate::Status;
use crate::redis::milliseconds;

/// The state of PostgreSQL; all but `status` are null while it is away.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    pub status: Status,
    pub latency_ms: Option<f64>,
    #[serde(skip)]
    pub relay: Option<RelayState>,
}

pub async fn run(_: RequestContext) -> Result<Response> {
    Ok(Response::json(StatusCode::OK, &check().await))
}

pub async fn check() -> Health {
    let start = Instant::now();
    match relay::state().await {
        Ok(relay) => Health {
            status: Status::Connected,
            latency_ms: Some(milliseconds(start)),
            relay: Some(relay),
        },
        Err(_) => Health {
            status: Status::Disconnected,
            latency_ms: None,
            relay: None,
        },
    }
}
