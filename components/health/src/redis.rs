//! `GET /api/v1/health/redis`

use std::time::Instant;

use futures::join;
use http::StatusCode;
use messaging::RedisService;
use messaging::Result;
use messaging::api::RequestContext;
use platform::http::Response;
use platform::redis::{FromReply, RedisError, Repeat};
use serde::Serialize;

use crate::Status;

/// The state of Redis; all but `status` are null while it is away, and what its user may not see is
/// null too.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    pub status: Status,
    /// Seconds since Redis started.
    uptime: Option<u64>,
    connected_clients: Option<u64>,
    /// For people, as in `1.2MB`.
    memory_usage: Option<String>,
    pub latency_ms: Option<f64>,
}

pub async fn run(_: RequestContext) -> Result<Response> {
    Ok(Response::json(StatusCode::OK, &check().await))
}

/// A Redis user may lack the privilege for `INFO`: then the figures are null.
pub async fn check() -> Health {
    let ping = async {
        let start = Instant::now();
        let reply: Result<(), RedisError> = command("PING").await;
        reply.map(|()| milliseconds(start))
    };
    let (latency, info) = join!(ping, command::<String>("INFO"));
    let info = info.ok().filter(|_| latency.is_ok());
    let figure = |name| info.as_deref().and_then(|info| number(info, name));
    Health {
        status: if latency.is_ok() {
            Status::Connected
        } else {
            Status::Disconnected
        },
        uptime: figure("uptime_in_seconds"),
        connected_clients: figure("connected_clients"),
        memory_usage: figure("used_memory").map(megabytes),
        latency_ms: latency.ok(),
    }
}

async fn command<T: FromReply>(name: &'static str) -> Result<T, RedisError> {
    RedisService::optional()
        .command(Repeat::Safe, name, vec![])
        .await
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
