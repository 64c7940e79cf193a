//! `GET /api/v1/health/redis`

use std::time::Instant;

use http::StatusCode;
use messaging::RedisService;
use messaging::Result;
use messaging::api::RequestContext;
use platform::http::Response;
use platform::redis::{RedisError, Repeat};
use serde::Serialize;

use crate::Status;

/// What is told of Redis; all but `status` are null while it is away.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    pub status: Status,
    /// Seconds since Redis started.
    uptime: Option<u64>,
    connected_clients: Option<u64>,
    /// For people, as in `1.2MB`.
    memory_usage: Option<String>,
    latency_ms: Option<f64>,
}

pub async fn run(_: RequestContext) -> Result<Response> {
    Ok(Response::json(StatusCode::OK, &check().await))
}

pub async fn check() -> Health {
    let start = Instant::now();
    let info: Result<String, RedisError> = RedisService::optional()
        .command(Repeat::Safe, "INFO", vec![])
        .await;
    match info {
        Ok(info) => Health {
            status: Status::Connected,
            uptime: number(&info, "uptime_in_seconds"),
            connected_clients: number(&info, "connected_clients"),
            memory_usage: number(&info, "used_memory").map(megabytes),
            latency_ms: Some(milliseconds(start)),
        },
        Err(_) => Health {
            status: Status::Disconnected,
            uptime: None,
            connected_clients: None,
            memory_usage: None,
            latency_ms: None,
        },
    }
}

/// Milliseconds since then, to the microsecond.
pub fn milliseconds(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

fn number(info: &str, name: &str) -> Option<u64> {
    info.lines().find_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix(':')?
            .trim()
            .parse()
            .ok()
    })
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}MB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_their_whole_name() {
        let info = "# Memory\r\nused_memory_rss:9\r\nused_memory:1258291\r\n";
        assert_eq!(number(info, "used_memory"), Some(1_258_291));
        assert_eq!(megabytes(1_258_291), "1.2MB");
        assert_eq!(number(info, "uptime_in_seconds"), None);
    }
}
