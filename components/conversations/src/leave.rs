//! `DELETE /api/v1/conversations/:id/participants/:userId`

use messaging::api::RequestContext;
use messaging::ids::{ConversationId, UserId};
use messaging::{Result, conversations};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    let id: ConversationId = context.path_id("id")?;
    let user: UserId = context.path_id("userId")?;
    conversations::leave(id, user, context.caller()?.user(), &context.actor()?).await?;
    Ok(Response::no_content())
}
