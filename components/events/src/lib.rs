//! Event streams: Server-Sent Events of a conversation, and of all that
//! concerns a user.

mod conversation;
mod resume;
mod ticket;
mod user;

use messaging::http::{Call, Reply};
use messaging::{Result, http_component, routes};

http_component!(route);

async fn route(call: Call) -> Result<Reply> {
    routes!(call, {
        "/api/v1/messages/conversations/:id/events" => { GET: conversation::run },
        "/api/v1/messages/users/:userId/events" => { GET: user::run },
        "/api/v1/messages/stream-tickets" => { POST: ticket::run },
    })
}
