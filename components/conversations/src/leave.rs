//! `DELETE /api/v1/conversations/:id/participants/:userId`

use messaging::api::RequestContext;
use messaging::ids::{ConversationId, UserId};
use messaging::{Error, Result, conversations};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    let id: ConversationId = context.path_id("id")?;
    let user: UserId = context.path_id("userId")?;
    let caller = context.caller()?;
    // Hidden comes before forbidden.
    conversations::visible(id, caller.user()).await?;
    caller.must_be(user)?;
    let event = conversations::leave(id, user).await?;
    let event = event.ok_or(Error::NotFound("There is no such participant."))?;
    conversations::share(&event).await;
    Ok(Response::no_content())
}
