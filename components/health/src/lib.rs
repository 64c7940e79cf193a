//! The state of the service and its stores.

mod all;
mod live;
mod postgres;
mod redis;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/health", Identified => all::run;
    GET "/api/v1/health/live", Public => live::run;
    GET "/api/v1/health/postgres", Identified => postgres::run;
    GET "/api/v1/health/redis", Identified => redis::run;
};

http_component!(ROUTES);

/// Whether a store answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Connected,
    Disconnected,
}
