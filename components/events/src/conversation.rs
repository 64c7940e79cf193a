//! `GET /api/v1/messages/conversations/:id/events`

use messaging::Result;
use messaging::api::RequestContext;
use messaging::auth::while_valid;
use messaging::feeds::{ConversationFeed, StreamLease};
use messaging::gateway::Source;
use platform::http::{Response, event_stream};

use crate::{held, lifetime};

pub async fn run(context: RequestContext) -> Result<Response> {
    let id = context.path_id("id")?;
    let viewer = context.caller()?.user();
    let lifetime = lifetime::of(&context).await?;
    let source = Source::Conversation(id);
    if let Some(response) = held::open(&context, source, viewer, lifetime).await {
        return response;
    }
    let lease = StreamLease::acquire(viewer).await?;
    let feed = ConversationFeed::open(id, viewer, context.last_event_id()).await?;
    let proof = context.authentication().proof.clone();
    Ok(event_stream(lifetime, |sender| {
        while_valid(proof, lease.hold(feed.run(sender)))
    }))
}
