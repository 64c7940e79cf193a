//! Presence: the users online.

mod device;
mod heartbeat;
mod list;
mod sign_off;
mod status;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/messages/users/online", Identified => list::run;
    POST "/api/v1/messages/users/:userId/online", Oneself => heartbeat::run;
    POST "/api/v1/messages/users/:userId/offline", Oneself => sign_off::run;
    GET "/api/v1/messages/users/:userId/online-status", Identified => status::run;
};

http_component!(ROUTES);
