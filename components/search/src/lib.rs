//! Search: messages by their words, in the conversations that the caller takes part in.

mod find;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/messages/search", Oneself => find::run;
};

http_component!(ROUTES);
