//! `POST /api/v1/messages/users/:userId/online`: a heartbeat.

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::ids::UserId;
use messaging::{Result, presence};
use platform::http::Response;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    user_id: UserId,
    online: bool,
    expires_in_seconds: u64,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let user_id = context.path_id("userId")?;
    context.caller()?.must_be(user_id)?;
    let ttl = presence::heartbeat(user_id).await?;
    let answer = Answer {
        user_id,
        online: true,
        expires_in_seconds: ttl.as_secs(),
    };
    Ok(Response::json(StatusCode::OK, &answer))
}
