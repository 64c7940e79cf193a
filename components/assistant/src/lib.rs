//! The assistant of a conversation.

mod ask;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    POST "/api/v1/messages/conversations/:id/assistant", Participant but patient => ask::run;
};

http_component!(ROUTES);
