//! `GET /api/v1/messages/users/:userId/socket`, past the proxy or without a handshake.

use messaging::api::RequestContext;
use messaging::gateway::Proxy;
use messaging::ids::UserId;
use messaging::{Error, Result};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    let user: UserId = context.path_id("userId")?;
    context.caller()?.must_be(user)?;
    match Proxy::configured().await? {
        Some(_) => Err(Error::UpgradeRequired),
        None => Err(Error::NotFound("There is no such route.")),
    }
}
