//! The page at `/`, and 404 for everything else that no other component answers.
//!
//! # Layout
//!
//! - `assets/`: the page's own files, as a browser gets them; `assets/main.js` tells what is where
//! - [`assets`]: those files, compiled in, and their paths
//! - [`page`]: the answer to a request for one

mod assets;
mod page;

use messaging::Result;
use messaging::http::{Call, Reply, serve};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    serve(request, route).await
}

async fn route(call: Call) -> Result<Reply> {
    page::run(&call)
}
