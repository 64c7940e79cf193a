//! How long a stream may last.

use std::time::{Duration, SystemTime};

use messaging::Result;
use messaging::api::RequestContext;
use platform::config;

/// How long a stream may last: until the operator's limit or until the caller's authentication
/// expires, if that is sooner. `None` is for as long as the client is connected.
pub async fn of(context: &RequestContext) -> Result<Option<Duration>> {
    let limit = config::seconds("sse_max_seconds").await?;
    let limit = Some(limit).filter(|limit| !limit.is_zero());
    let expiry = context.authentication().expires_at.map(until);
    Ok(limit.into_iter().chain(expiry).min())
}

fn until(end: SystemTime) -> Duration {
    end.duration_since(SystemTime::now()).unwrap_or_default()
}
