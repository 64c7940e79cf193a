//! Events: as streams (Server-Sent Events) of a conversation and of all that concerns a user, and in
//! pages. A stream is served here, or a proxy holds it (`held`).

mod changes;
mod conversation;
mod held;
mod lifetime;
mod log;
mod ticket;
mod user;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/events", Service but patient => log::run;
    GET "/api/v1/messages/conversations/:id/changes", Participant => changes::run;
    GET "/api/v1/messages/conversations/:id/events", Participant or with_ticket => conversation::run;
    GET "/api/v1/messages/held-streams/:stream", Proxy => held::run;
    GET "/api/v1/messages/users/:userId/events", Oneself or with_ticket => user::run;
    POST "/api/v1/messages/stream-tickets", Identified => ticket::run;
};

http_component!(ROUTES);
