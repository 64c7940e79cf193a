//! `GET /api/v1/health`: 200 if every store is connected, else 503.

use futures::join;
use http::{StatusCode, header};
use messaging::Result;
use messaging::api::RequestContext;
use platform::http::Response;
use serde::Serialize;

use crate::{Status, postgres, redis};

#[derive(Serialize)]
struct Health {
    status: &'static str,
    redis: redis::Health,
    postgres: postgres::Health,
    relay: Relay,
}

#[derive(Serialize)]
struct Relay {
    /// How many events no relay has passed on yet; null while PostgreSQL is away.
    backlog: Option<i64>,
}

pub async fn run(_: RequestContext) -> Result<Response> {
    let (redis, postgres) = join!(redis::check(), postgres::check());
    let well = redis.status == Status::Connected && postgres.status == Status::Connected;
    let relay = Relay {
        backlog: postgres.backlog,
    };
    let status = if well { "ok" } else { "unavailable" };
    let health = Health {
        status,
        redis,
        postgres,
        relay,
    };
    Ok(if well {
        Response::json(StatusCode::OK, &health)
    } else {
        Response::json(StatusCode::SERVICE_UNAVAILABLE, &health).header(header::RETRY_AFTER, "1")
    })
}
