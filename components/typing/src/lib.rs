//! Typing: who writes in a conversation just now.

mod list;
mod set;

use messaging::http::{Call, Reply};
use messaging::{Result, http_component, routes};

http_component!(route);

async fn route(call: Call) -> Result<Reply> {
    routes!(call, {
        "/api/v1/messages/conversations/:id/typing" => { GET: list::run, POST: set::run },
    })
}
