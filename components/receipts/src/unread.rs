//! `GET /api/v1/messages/users/:userId/unread-count`
//!
//! PostgreSQL counts: the counts in Redis are as old as the relay's last pass.

use http::StatusCode;
use messaging::Result;
use messaging::http::{Call, Reply};
use messaging::ids::UserId;
use messaging::receipts::{self, Unread};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfConversation {
    user_id: UserId,
    #[serde(flatten)]
    unread: Unread,
}

/// Conversations in which all is read are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Total {
    user_id: UserId,
    total: i64,
    conversations: Vec<Unread>,
}

pub async fn run(call: Call) -> Result<Reply> {
    let user_id = call.path_id("userId")?;
    call.caller()?.must_be(user_id)?;
    let Some(conversation) = call.query("conversationId")? else {
        return total(user_id).await;
    };
    let unread = receipts::unread_in(conversation, user_id).await?;
    let answer = OfConversation { user_id, unread };
    Ok(Reply::json(StatusCode::OK, &answer))
}

async fn total(user_id: UserId) -> Result<Reply> {
    let conversations = receipts::unread_of(user_id).await?;
    let answer = Total {
        user_id,
        total: conversations.iter().map(|unread| unread.count).sum(),
        conversations,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}
