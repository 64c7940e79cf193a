//! `GET /api/v1/messages/users/:userId/events`

use messaging::Result;
use messaging::feeds::{UserFeed, stream};
use messaging::http::{Call, Reply};
use messaging::ids::UserId;

use crate::resume;

pub async fn run(call: Call) -> Result<Reply> {
    let user: UserId = call.path_id("userId")?;
    let session = call.session()?;
    session.caller.must_be(user)?;
    let lifetime = resume::lifetime(session).await?;
    let feed = UserFeed::open(user, resume::last_event_id(&call)).await;
    Ok(stream(lifetime, |outlet| feed.run(outlet)))
}
