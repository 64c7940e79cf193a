//! `GET /api/v1/messages/users/:userId/unread-count`
//!
//! PostgreSQL counts: the counts in Redis are as old as the relay's last pass.

use http::StatusCode;
use messaging::Result;
use messaging::api::RequestContext;
use messaging::ids::UserId;
use messaging::receipts::{self, Unread};
use platform::http::Response;
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

pub async fn run(context: RequestContext) -> Result<Response> {
    let user_id = context.path_id("userId")?;
    context.caller()?.must_be(user_id)?;
    let Some(conversation) = context.query("conversationId")? else {
        return total(user_id).await;
    };
    let unread = receipts::unread_in(conversation, user_id).await?;
    let answer = OfConversation { user_id, unread };
    Ok(Response::json(StatusCode::OK, &answer))
}

async fn total(user_id: UserId) -> Result<Response> {
    let conversations = receipts::unread_of(user_id).await?;
    let answer = Total {
        user_id,
        total: conversations.iter().map(|unread| unread.count).sum(),
        conversations,
    };
    Ok(Response::json(StatusCode::OK, &answer))
}
