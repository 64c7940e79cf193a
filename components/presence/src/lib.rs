//! Presence: who is online.

mod beat;
mod list;
mod sign_off;
mod status;

use messaging::http::{Call, Reply};
use messaging::{Result, http_component, routes};

http_component!(route);

async fn route(call: Call) -> Result<Reply> {
    routes!(call, {
        "/api/v1/messages/users/online" => { GET: list::run },
        "/api/v1/messages/users/:userId/online" => { POST: beat::run },
        "/api/v1/messages/users/:userId/offline" => { POST: sign_off::run },
        "/api/v1/messages/users/:userId/online-status" => { GET: status::run },
    })
}
