//! `GET /api/v1/messages/conversations/:id/events`

use messaging::Result;
use messaging::feeds::{ConversationFeed, stream};
use messaging::http::{Call, Reply};

use crate::resume;

pub async fn run(call: Call) -> Result<Reply> {
    let id = call.path_id("id")?;
    let session = call.session()?;
    let lifetime = resume::lifetime(session).await?;
    let viewer = session.caller.user();
    let feed = ConversationFeed::open(id, viewer, resume::last_event_id(&call)).await?;
    Ok(stream(lifetime, |outlet| feed.run(outlet)))
}
