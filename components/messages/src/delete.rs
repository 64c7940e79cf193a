//! `DELETE /api/v1/messages/:id`

use messaging::http::{Call, Reply};
use messaging::ids::MessageId;
use messaging::{Result, cache, messages};

pub async fn run(call: Call) -> Result<Reply> {
    let id: MessageId = call.path_id("id")?;
    let caller = call.caller()?;
    if let Some(change) = messages::delete(id, caller.user()).await? {
        cache::share_change(&change).await;
    }
    Ok(Reply::no_content())
}
