//! Messages that the system writes.

mod post;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    POST "/api/v1/messages/conversations/:id/system-message", Service => post::run;
};

http_component!(ROUTES);
