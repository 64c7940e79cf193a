//! Conversations and their participants.

mod change;
mod create;
mod get;
mod join;
mod leave;
mod list;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/conversations", Oneself => list::run;
    POST "/api/v1/conversations", Oneself => create::run;
    GET "/api/v1/conversations/:id", Participant => get::run;
    PATCH "/api/v1/conversations/:id", ParticipantOrRecords => change::run;
    POST "/api/v1/conversations/:id/participants", Participant => join::run;
    DELETE "/api/v1/conversations/:id/participants/:userId", ParticipantOneself => leave::run;
};

http_component!(ROUTES);
