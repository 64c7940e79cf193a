//! `POST /api/v1/messages/users/:userId/online`: a heartbeat.

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
    expires_in_seconds: u64,
}

pub async fn run(call: Call) -> Result<Reply> {
    let user_id = call.path_id("userId")?;
    call.caller()?.must_be(user_id)?;
    let life = presence::beat(user_id).await?;
    let answer = Answer {
        user_id,
        online: true,
        expires_in_seconds: life.as_secs(),
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}
