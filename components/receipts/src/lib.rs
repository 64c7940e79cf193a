//! Receipts: what was read, by whom and when, and what is unread.

mod list;
mod read;
mod unread;

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
        "/api/v1/messages/messages/:id/read" => { POST: read::run },
        "/api/v1/messages/messages/:id/receipts" => { GET: list::run },
        "/api/v1/messages/users/:userId/unread-count" => { GET: unread::run },
    })
}
