//! `POST /api/v1/messages/users/:userId/offline`

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
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let user_id = context.path_id("userId")?;
    context.caller()?.must_be(user_id)?;
    presence::sign_off(user_id).await?;
    let answer = Answer {
        user_id,
        online: false,
    };
    Ok(Response::json(StatusCode::OK, &answer))
}
