//! What follows a committed change: cached values that it made out of date, the channel, and the
//! relay, in one round trip to Redis. Nothing of it can fail the request. It is the last step of the
//! function that makes the change, done again when the change is repeated.

use std::time::Duration;

use futures::future::{LocalBoxFuture, join_all};
use futures::{FutureExt, join};
use platform::redis::RedisError;
use platform::{clock, task};

use super::trust;
use crate::ids::ConversationId;
use crate::{RedisService, events, keys, relay};

/// How often a change that Redis did not take is offered again by the instance that made it. The
/// relay delivers it too.
const REPAIR_ATTEMPTS: u32 = 8;

/// A command to Redis that shares a part of a change.
pub type Step<'a> = LocalBoxFuture<'a, Result<(), RedisError>>;

/// Shares a change: runs these steps and wakes the relay. If Redis does not take them, the cache is
/// not used by any host until it has.
pub async fn share(steps: impl Fn(RedisService) -> Vec<Step<'static>> + 'static) {
    if let Err(cause) = attempt(&steps).await {
        log::warn!("a change is not in Redis yet: {cause}");
        task::spawn(repair(steps));
        trust::distrust().await;
    }
}

async fn attempt(steps: &impl Fn(RedisService) -> Vec<Step<'static>>) -> Result<(), RedisError> {
    let redis = RedisService::optional();
    let (shared, woken) = join!(join_all(steps(redis)), relay::wake_up(redis));
    shared.into_iter().collect::<Result<(), _>>().and(woken)
}

/// Offers the change again until Redis takes it.
async fn repair(steps: impl Fn(RedisService) -> Vec<Step<'static>>) {
    for attempts in 0..REPAIR_ATTEMPTS {
        clock::sleep(Duration::from_millis(100 << attempts.min(5))).await;
        if attempt(&steps).await.is_ok() {
            return;
        }
    }
}

/// Publishes an event on its conversation's channel.
pub fn publish(redis: RedisService, conversation: ConversationId, line: String) -> Step<'static> {
    async move {
        let channel = keys::messages_channel(conversation);
        redis.publish(&channel, line.as_bytes()).await.map(|_| ())
    }
    .boxed_local()
}

/// Publishes an event, if there is one: a repeated change has none.
pub fn publish_if(redis: RedisService, event: Option<&events::Event>) -> Vec<Step<'static>> {
    let step = event.map(|event| publish(redis, event.conversation, event.to_json()));
    step.into_iter().collect()
}
