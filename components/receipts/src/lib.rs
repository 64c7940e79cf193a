//! Receipts: what was read, by which users and when, and what is unread.

mod list;
mod read;
mod unread;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    POST "/api/v1/messages/messages/:id/read", ParticipantOneself => read::run;
    GET "/api/v1/messages/messages/:id/receipts", Participant => list::run;
    GET "/api/v1/messages/users/:userId/unread-count", Oneself => unread::run;
};

http_component!(ROUTES);
