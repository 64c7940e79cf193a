//! Everything that no other component answers.

use messaging::http::{Access, Call, Reply, serve};
use messaging::{Error, Result};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    serve(request, Access::Public, route).await
}

async fn route(_: Call) -> Result<Reply> {
    Err(Error::NotFound("There is no such route."))
}
