//! `DELETE /api/v1/messages/:id`

use messaging::api::RequestContext;
use messaging::ids::MessageId;
use messaging::{Result, messages};
use platform::http::Response;

pub async fn run(context: RequestContext) -> Result<Response> {
    let id: MessageId = context.path_id("id")?;
    let caller = context.caller()?;
    messages::delete(id, caller.user()).await?;
    Ok(Response::no_content())
}
