//! `GET /api/v1/health/ready`: the stores can be reached. Anyone may ask, so the stores are asked at
//! most once a second by each instance, and the response says nothing more.

use std::time::Duration;

use futures::join;
use http::{StatusCode, header};
use messaging::api::RequestContext;
use messaging::{RedisService, Result, relay};
use platform::clock::{self, Instant};
use platform::http::Response;
use platform::redis::{RedisError, Repeat};
use platform::shared_connection::SharedConnection;

/// For how long the outcome of one look is the response.
const VALID: Duration = Duration::from_secs(1);
/// How long a store may take: probes wait for a second or two.
const LIMIT: Duration = Duration::from_secs(1);

struct Look {
    at: Instant,
    is_ready: bool,
}

thread_local! {
    /// The newest look. It is shared as a connection is: requests that come while one is under way
    /// wait for its outcome.
    static NEWEST: SharedConnection<Look> = const { SharedConnection::new() };
}

pub async fn run(_: RequestContext) -> Result<Response> {
    Ok(if is_ready().await {
        Response::raw_json(StatusCode::OK, r#"{"status":"ok"}"#)
    } else {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Response::raw_json(status, r#"{"status":"unavailable"}"#).header(header::RETRY_AFTER, "1")
    })
}

async fn is_ready() -> bool {
    loop {
        let Ok(newest) = SharedConnection::acquire(&NEWEST, look).await;
        if newest.at.elapsed() < VALID {
            return newest.is_ready;
        }
        NEWEST.with(|shared| shared.forget(&newest));
    }
}

async fn look() -> Result<Look, std::convert::Infallible> {
    let stores = async { join!(is_redis_reachable(), is_postgres_reachable()) };
    let is_ready = matches!(clock::timeout(LIMIT, stores).await, Ok((true, true)));
    // By its end: a look that took longer than its outcome is valid is no reason for another.
    let at = Instant::now();
    Ok(Look { at, is_ready })
}

async fn is_redis_reachable() -> bool {
    let reply: Result<(), RedisError> = RedisService::optional()
        .command(Repeat::Safe, "PING", vec![])
        .await;
    reply.is_ok()
}

/// Also wakes the relay if events wait: a host that polls this never leaves them behind.
async fn is_postgres_reachable() -> bool {
    relay::wake_up_if_waiting().await.is_ok()
}
