//! `GET /api/v1/messages/users/:userId/online-status`

use http::StatusCode;
use messaging::Result;
use messaging::http::{Call, Reply};
use messaging::ids::UserId;
use messaging::presence::{self, Status};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    user_id: UserId,
    online: bool,
    last_seen: Option<String>,
}

pub async fn run(call: Call) -> Result<Reply> {
    let user_id = call.path_id("userId")?;
    let Status { online, last_seen } = presence::status(user_id).await?;
    let answer = Answer {
        user_id,
        online,
        last_seen,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}
