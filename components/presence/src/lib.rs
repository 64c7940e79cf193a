//! Presence: who is online.

mod beat;
mod list;
mod sign_off;
mod status;

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
        "/api/v1/messages/users/online" => { GET: list::run },
        "/api/v1/messages/users/:userId/online" => { POST: beat::run },
        "/api/v1/messages/users/:userId/offline" => { POST: sign_off::run },
        "/api/v1/messages/users/:userId/online-status" => { GET: status::run },
    })
}
