//! The state of the service and its stores, for probes, people and monitoring.

mod all;
mod live;
mod metrics;
mod postgres;
mod ready;
mod redis;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/health", Service => all::run;
    GET "/api/v1/health/live", Public => live::run;
    GET "/api/v1/health/postgres", Service => postgres::run;
    GET "/api/v1/health/ready", Public => ready::run;
    GET "/api/v1/health/redis", Service => redis::run;
    GET "/api/v1/metrics", Metrics => metrics::run;
};

http_component!(ROUTES);

/// Whether a store answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Connected,
    Disconnected,
}
