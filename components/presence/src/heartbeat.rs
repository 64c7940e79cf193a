//! `POST /api/v1/messages/users/:userId/online`: a heartbeat, `{deviceId?}`.

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::content::DeviceId;
use messaging::ids::UserId;
use messaging::{Result, presence};
use platform::http::Response;
use serde::Serialize;

use crate::device;

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
    let device = device::read(context).await?.unwrap_or(DeviceId::unnamed());
    let ttl = presence::heartbeat(user_id, &device).await?;
    let answer = Answer {
        user_id,
        online: true,
        expires_in_seconds: ttl.as_secs(),
    };
    Ok(Response::json(StatusCode::OK, &answer))
}
