//! A worker: takes receivers from the queue and serves them, all at once, until there are none.

use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, select_biased};
use platform::{clock, config, random};

use super::queue::{self, Entry};
use super::{Schedule, address, receiver};
use crate::{RedisService, Result};

/// How often a worker that serves some receivers looks for others. No receiver waits longer for a worker
/// because of another one.
const POLL: Duration = Duration::from_millis(50);

/// What a worker works with.
pub(super) struct Work {
    pub redis: RedisService,
    /// The worker's name.
    pub worker: String,
    pub schedule: Schedule,
    pub allow_private: bool,
}

/// Serves whoever has something to get, until there is nothing more to do; how many receivers that were.
pub async fn run() -> Result<usize> {
    let work = Work {
        redis: RedisService::required(),
        worker: random::secret()[..16].to_owned(),
        schedule: Schedule::configured().await?,
        allow_private: address::allows_private().await?,
    };
    queue::refill(work.redis).await?;
    let (served, unfinished) = serve_all(&work).await?;
    // A worker that leaves takes its entries with it.
    if unfinished == 0 {
        queue::leave(work.redis, &work.worker).await?;
    }
    Ok(served)
}

/// How many receivers were served, and how many not to the end.
async fn serve_all(work: &Work) -> Result<(usize, usize)> {
    let mut serving = FuturesUnordered::new();
    let (mut served, mut unfinished) = (0, 0);
    loop {
        match queue::take(work.redis, &work.worker).await {
            Ok(entries) => serving.extend(entries.into_iter().map(|entry| serve(work, entry))),
            // What is being served goes on: PostgreSQL knows what there is.
            Err(cause) if !serving.is_empty() => log::warn!("the queue is not read: {cause}"),
            Err(cause) => return Err(cause.into()),
        }
        if serving.is_empty() {
            return Ok((served, unfinished));
        }
        let mut tick = std::pin::pin!(clock::sleep(POLL).fuse());
        select_biased! {
            is_finished = serving.select_next_some() => match is_finished {
                true => served += 1,
                false => unfinished += 1,
            },
            () = tick => {}
        }
    }
}

/// Whether it came to the end.
async fn serve(work: &Work, entry: Entry) -> bool {
    fault(1).await;
    let receiver = entry.webhook;
    let served = receiver::serve(work, &entry).await;
    // An entry that is left is another worker's once the lease is over.
    let finished = match served {
        Ok(()) => queue::finish(work.redis, &entry).await.map_err(Into::into),
        Err(error) => Err(error),
    };
    if let Err(error) = &finished {
        log::warn!("webhook {receiver} is not served to the end: {error}");
    }
    finished.is_ok()
}

/// Stops for good behind a step, if the operator's `notifier_stop_after` says so: for fault tests, which
/// then kill the host there.
pub(super) async fn fault(step: u64) {
    if config::number("notifier_stop_after")
        .await
        .is_ok_and(|stop| stop == step)
    {
        log::warn!("notifier stops after step {step}");
        clock::sleep(Duration::from_secs(3600)).await;
    }
}
