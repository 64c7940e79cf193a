//! Whether the service and its stores are well.

mod all;
mod live;
mod postgres;
mod redis;

use messaging::http::{Call, Reply};
use messaging::{Result, http_component, routes};

http_component!(route);

async fn route(call: Call) -> Result<Reply> {
    routes!(call, {
        "/api/v1/health" => { GET: all::run },
        "/api/v1/health/live" => { GET: live::run },
        "/api/v1/health/postgres" => { GET: postgres::run },
        "/api/v1/health/redis" => { GET: redis::run },
    })
}

/// Whether a store answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Connected,
    Disconnected,
}
