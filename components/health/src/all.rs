//! `GET /api/v1/health`: 200 if every store is connected, else 503.

use futures::join;
use http::{StatusCode, header};
use messaging::Result;
use messaging::api::RequestContext;
use platform::http::Response;
use serde::Serialize;

use crate::{Status, postgres, redis};

/// Events that have waited longer than this show that no relay delivers them.
const MAX_AGE_SECONDS: f64 = 30.0;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    redis: redis::Health,
    postgres: postgres::Health,
    relay: Relay,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relay {
    /// How many events are not delivered yet; null while PostgreSQL is away, like the others.
    backlog: Option<i64>,
    /// The age of the oldest of them.
    oldest_seconds: Option<f64>,
    /// How many conversations are set aside after many failures.
    set_aside: Option<i64>,
}

pub async fn run(_: RequestContext) -> Result<Response> {
    let (redis, postgres) = join!(redis::check(), postgres::check());
    let state = postgres.relay.as_ref();
    let late = state.is_some_and(|state| state.oldest_seconds > MAX_AGE_SECONDS);
    let connected = redis.status == Status::Connected && postgres.status == Status::Connected;
    let well = connected && !late;
    let relay = Relay {
        backlog: state.map(|state| state.backlog),
        oldest_seconds: state.map(|state| state.oldest_seconds),
        set_aside: state.map(|state| state.set_aside),
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
