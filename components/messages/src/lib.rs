//! Messages: posting, reading in pages, editing, deleting.

mod delete;
mod edit;
mod get;
mod list;
mod post;

use messaging::http::{Call, Reply};
use messaging::{Result, http_component, routes};

http_component!(route);

async fn route(call: Call) -> Result<Reply> {
    routes!(call, {
        "/api/v1/messages" => { GET: list::run, POST: post::run },
        "/api/v1/messages/:id" => { GET: get::run, PATCH: edit::run, DELETE: delete::run },
    })
}
