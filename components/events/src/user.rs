//! `GET /api/v1/messages/users/:userId/events`

use messaging::Result;
use messaging::api::RequestContext;
use messaging::feeds::UserFeed;
use messaging::ids::UserId;
use platform::http::{Response, event_stream};

use crate::lifetime;

pub async fn run(context: RequestContext) -> Result<Response> {
    let user: UserId = context.path_id("userId")?;
    context.caller()?.must_be(user)?;
    let lifetime = lifetime::of(&context).await?;
    let feed = UserFeed::open(user, context.last_event_id()).await;
    Ok(event_stream(lifetime, |sender| feed.run(sender)))
}
