//! What is published besides events: that rights are to be checked, or have ended.

use futures::future::join_all;
use futures::join;

use crate::cache;
use crate::gateway::{Channel, Notice};
use crate::{RedisService, Result, keys};

/// The notices that wait; and if Redis is another one than before, a check of everyone: it does not know
/// who has sockets and streams open.
pub async fn waiting(redis: RedisService) -> Result<Vec<Notice>> {
    let epoch = cache::epoch().await?;
    let (waiting, known) = join!(
        redis.smembers(keys::notices()),
        redis.get(keys::proxies_epoch())
    );
    let waiting = waiting?.into_iter().filter_map(|text| text.parse().ok());
    let mut notices: Vec<Notice> = waiting.collect();
    if known?.as_deref() != Some(epoch.as_str().as_bytes()) {
        notices.push(everyone());
        redis
            .set(keys::proxies_epoch(), epoch.as_str().as_bytes(), None)
            .await?;
    }
    Ok(notices)
}

fn everyone() -> Notice {
    Notice::Check(Channel::Everyone.to_string())
}

/// The proxies have them, or they are in their backlogs.
pub async fn done(redis: RedisService, notices: &[Notice]) {
    let removed = notices
        .iter()
        .map(|notice| redis.srem(keys::notices(), notice.to_string()));
    if let Some(Err(cause)) = join_all(removed).await.into_iter().find(Result::is_err) {
        log::warn!("a notice is published again: {cause}");
    }
}
