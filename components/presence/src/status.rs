//! `GET /api/v1/messages/users/:userId/online-status`

use http::StatusCode;
use messaging::Result;
use messaging::api::RequestContext;
use messaging::ids::UserId;
use messaging::presence::{self, Status};
use platform::http::Response;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    user_id: UserId,
    online: bool,
    last_seen: Option<String>,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let user_id = context.path_id("userId")?;
    let viewer = context.caller_by_query()?.user();
    let Status { online, last_seen } = presence::status(user_id, viewer).await?;
    let answer = Answer {
        user_id,
        online,
        last_seen,
    };
    Ok(Response::json(StatusCode::OK, &answer))
}
