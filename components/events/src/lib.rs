//! Event streams: Server-Sent Events of a conversation, and of all that
//! concerns a user.

mod conversation;
mod resume;
mod ticket;
mod user;

use messaging::http::{Call, Reply, serve};
use messaging::{Result, routes};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    serve(request, route).await
}

async fn route(call: Call) -> Result<Reply> {
    routes!(call, {
        "/api/v1/messages/conversations/:id/events" => { GET: conversation::run },
        "/api/v1/messages/users/:userId/events" => { GET: user::run },
        "/api/v1/messages/stream-tickets" => { POST: ticket::run },
    })
}
