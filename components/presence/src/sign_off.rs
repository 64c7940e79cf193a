//! `POST /api/v1/messages/users/:userId/offline` `{deviceId?}`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::ids::UserId;
use messaging::{Result, presence};
use platform::http::Response;
use serde::Serialize;

use crate::device;

/// About the devices that sign off: others may still be online.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    user_id: UserId,
    online: bool,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let user_id = context.path_id("userId")?;
    context.caller()?.must_be(user_id)?;
    let device = device::read(context).await?;
    presence::sign_off(user_id, device.as_ref()).await?;
    let answer = Answer {
        user_id,
        online: false,
    };
    Ok(Response::json(StatusCode::OK, &answer))
}
