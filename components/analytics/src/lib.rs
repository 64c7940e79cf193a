//! Analytics: how much is written, and by how many.

mod active;
mod messages;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/analytics/messages", Service => messages::run;
    GET "/api/v1/analytics/active-users", Service => active::run;
};

http_component!(ROUTES);
