//! Messages that the system says.

mod post;

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
        "/api/v1/messages/conversations/:id/system-message" => { POST: post::run },
    })
}
