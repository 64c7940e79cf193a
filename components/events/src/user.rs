//! `GET /api/v1/messages/users/:userId/events`

use messaging::api::RequestContext;
use messaging::auth::while_valid;
use messaging::feeds::{StreamLease, UserFeed};
use messaging::gateway::Source;
use messaging::ids::UserId;
use messaging::{Result, sealing};
use platform::http::{Response, event_stream};

use crate::{held, lifetime};

pub async fn run(context: RequestContext) -> Result<Response> {
    let user: UserId = context.path_id("userId")?;
    let caller = context.caller()?;
    caller.must_be(user)?;
    // Nothing that the stream delivers could be opened.
    sealing::keys().await?;
    let lifetime = lifetime::of(&context).await?;
    let source = Source::Feed(user);
    if let Some(response) = held::open(&context, source, caller.user(), lifetime).await {
        return response;
    }
    let lease = StreamLease::acquire(caller.user()).await?;
    let feed = UserFeed::open(user, context.last_event_id()).await;
    let proof = context.authentication().proof.clone();
    Ok(event_stream(lifetime, |sender| {
        while_valid(proof, lease.hold(feed.run(sender)))
    }))
}
