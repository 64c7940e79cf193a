//! Conversations and their participants.

mod create;
mod get;
mod join;
mod leave;
mod list;

use messaging::http::{Call, Reply};
use messaging::{Result, http_component, routes};

http_component!(route);

async fn route(call: Call) -> Result<Reply> {
    routes!(call, {
        "/api/v1/conversations" => { GET: list::run, POST: create::run },
        "/api/v1/conversations/:id" => { GET: get::run },
        "/api/v1/conversations/:id/participants" => { POST: join::run },
        "/api/v1/conversations/:id/participants/:userId" => { DELETE: leave::run },
    })
}
