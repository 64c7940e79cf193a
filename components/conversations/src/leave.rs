//! `DELETE /api/v1/conversations/:id/participants/:userId`

use messaging::http::{Call, Reply};
use messaging::ids::{ConversationId, UserId};
use messaging::{Error, Result, conversations};

pub async fn run(call: Call) -> Result<Reply> {
    let id: ConversationId = call.path_id("id")?;
    let user: UserId = call.path_id("userId")?;
    let caller = call.caller()?;
    // Hidden comes before forbidden.
    conversations::visible(id, caller.user()).await?;
    caller.must_be(user)?;
    let event = conversations::leave(id, user).await?;
    let event = event.ok_or(Error::NotFound("There is no such participant."))?;
    conversations::share(&event).await;
    Ok(Reply::no_content())
}
