//! `GET /api/v1/messages/conversations/:id/events`

use messaging::Result;
use messaging::api::RequestContext;
use messaging::feeds::ConversationFeed;
use platform::http::{Response, event_stream};

use crate::resume;

pub async fn run(context: RequestContext) -> Result<Response> {
    let id = context.path_id("id")?;
    let viewer = context.caller()?.user();
    let lifetime = resume::lifetime(&context).await?;
    let feed = ConversationFeed::open(id, viewer, resume::last_event_id(&context)).await?;
    Ok(event_stream(lifetime, |sender| feed.run(sender)))
}
