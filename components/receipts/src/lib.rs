//! Receipts: what was read, by whom and when, and what is unread.

mod list;
mod read;
mod unread;

use messaging::http::{Call, Reply};
use messaging::{Result, http_component, routes};

http_component!(route);

async fn route(call: Call) -> Result<Reply> {
    routes!(call, {
        "/api/v1/messages/messages/:id/read" => { POST: read::run },
        "/api/v1/messages/messages/:id/receipts" => { GET: list::run },
        "/api/v1/messages/users/:userId/unread-count" => { GET: unread::run },
    })
}
