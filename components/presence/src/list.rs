//! `GET /api/v1/messages/users/online`

use http::StatusCode;
use messaging::api::RequestContext;
use messaging::ids::UserId;
use messaging::{Result, presence};
use platform::http::Response;
use serde::Serialize;

#[derive(Serialize)]
struct Answer {
    users: Vec<UserId>,
    count: usize,
}

pub async fn run(context: RequestContext) -> Result<Response> {
    let viewer = context.caller_by_query()?.user();
    let users = presence::online(viewer).await?;
    let count = users.len();
    Ok(Response::json(StatusCode::OK, &Answer { users, count }))
}
