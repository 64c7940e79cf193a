//! Where a stream resumes, and how long it may last.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use messaging::Result;
use messaging::api::RequestContext;
use platform::config;
use platform::http::LastEventId;

/// The client's resume position: the header, which browsers send when they reconnect, or for a
/// first request the query.
pub fn last_event_id<T: FromStr>(context: &RequestContext) -> LastEventId<T> {
    let query = context.query_text("lastEventId");
    let header = context.header("last-event-id").filter(|id| !id.is_empty());
    LastEventId::parse(header.or(query.as_deref()))
}

/// How long a stream may last: until the operator's limit or until the caller's authentication
/// expires, if that is sooner. `None` is for as long as the client is connected.
pub async fn lifetime(context: &RequestContext) -> Result<Option<Duration>> {
    let limit = config::seconds("sse_max_seconds").await?;
    let limit = Some(limit).filter(|limit| !limit.is_zero());
    let expiry = context.authentication().expires_at.map(until);
    Ok(limit.into_iter().chain(expiry).min())
}

fn until(end: SystemTime) -> Duration {
    end.duration_since(SystemTime::now()).unwrap_or_default()
}
