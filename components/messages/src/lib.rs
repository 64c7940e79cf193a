//! Messages: posting, reading in pages, editing, deleting.

mod delete;
mod edit;
mod get;
mod list;
mod post;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/messages", Participant => list::run;
    POST "/api/v1/messages", ParticipantOneself => post::run;
    GET "/api/v1/messages/:id", Participant => get::run;
    PATCH "/api/v1/messages/:id", Sender => edit::run;
    DELETE "/api/v1/messages/:id", Sender => delete::run;
};

http_component!(ROUTES);
