//! Messages that the system says.

mod post;

use messaging::http::{Call, Reply};
use messaging::{Result, http_component, routes};

http_component!(route);

async fn route(call: Call) -> Result<Reply> {
    routes!(call, {
        "/api/v1/messages/conversations/:id/system-message" => { POST: post::run },
    })
}
