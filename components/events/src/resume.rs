//! Where a stream begins, and when the client has to come back.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use messaging::auth::Session;
use messaging::feeds::LastEventId;
use messaging::http::Call;
use messaging::{Result, config};

/// Where the client left off: the header, which browsers send when they
/// reconnect, or for a first request the query.
pub fn last_event_id<T: FromStr>(call: &Call) -> LastEventId<T> {
    let query = call.query_text("lastEventId");
    let header = call.header("last-event-id").filter(|id| !id.is_empty());
    LastEventId::parse(header.or(query.as_deref()))
}

/// How long a stream may last: until the operator's limit or until the proof of
/// identity expires, whichever is first. `None` is for as long as the client listens.
pub async fn lifetime(session: Session) -> Result<Option<Duration>> {
    let limit = config::seconds("sse_max_seconds").await?;
    let limit = Some(limit).filter(|limit| !limit.is_zero());
    let expiry = session.expires_at.map(until);
    Ok(limit.into_iter().chain(expiry).min())
}

fn until(end: SystemTime) -> Duration {
    end.duration_since(SystemTime::now()).unwrap_or_default()
}
