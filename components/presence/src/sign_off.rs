//! `POST /api/v1/messages/users/:userId/offline`

use http::StatusCode;
use messaging::http::{Call, Reply};
use messaging::ids::UserId;
use messaging::{Result, presence};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    user_id: UserId,
    online: bool,
}

pub async fn run(call: Call) -> Result<Reply> {
    let user_id = call.path_id("userId")?;
    call.caller()?.must_be(user_id)?;
    presence::sign_off(user_id).await?;
    let answer = Answer {
        user_id,
        online: false,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}
