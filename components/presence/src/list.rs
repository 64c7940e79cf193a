//! `GET /api/v1/messages/users/online`

use http::StatusCode;
use messaging::http::{Call, Reply};
use messaging::ids::UserId;
use messaging::{Result, presence};
use serde::Serialize;

#[derive(Serialize)]
struct Answer {
    users: Vec<UserId>,
    count: usize,
}

pub async fn run(_: Call) -> Result<Reply> {
    let users = presence::online().await?;
    let count = users.len();
    Ok(Reply::json(StatusCode::OK, &Answer { users, count }))
}
