//! Typing: the users who write in a conversation just now.

mod list;
mod set;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/messages/conversations/:id/typing", Participant => list::run;
    POST "/api/v1/messages/conversations/:id/typing", ParticipantOneself => set::run;
};

http_component!(ROUTES);
