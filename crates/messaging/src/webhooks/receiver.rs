//! What a worker does for one receiver: it sends the events of each conversation one after the other, and
//! those of many conversations at once.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, join, select_biased};
use platform::clock::{self, Instant};
use platform::http::post_json_with;

use super::deliveries::delivery_id;
use super::event::Queued;
use super::queue::{self, Entry};
use super::store::{self, Attempt, Claimed, LEASE, Lane, Outcome, Rest};
use super::worker::{Work, fault};
use super::{Address, Secret};
use crate::ids::{ConversationId, WebhookId};
use crate::{Result, keys};

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a worker that has room looks for what was queued meanwhile.
const POLL: Duration = Duration::from_millis(200);
/// How often it gives a sign of life: well within the lease.
const RENEWAL: Duration = Duration::from_secs(5);

/// Where requests go, and how.
struct Target {
    id: WebhookId,
    url: String,
    contents: bool,
    secrets: Vec<Secret>,
    allow_private: bool,
    /// Set once nothing more is to be sent.
    is_stopped: Cell<bool>,
}

/// Serves a receiver until nothing more is due.
pub(super) async fn serve(work: &Work, entry: &Entry) -> Result<()> {
    if entry.is_dead {
        log::error!("webhook {} is set aside: workers die of it", entry.webhook);
        return store::set_aside(entry.webhook).await;
    }
    while let Some(claimed) = store::claim(entry.webhook).await? {
        // If this worker dies, another one is woken when the lease is over.
        queue::ring_later(work.redis, entry.webhook, LEASE).await?;
        fault(2).await;
        let mut service = Service::new(work, entry, claimed);
        let Some(outcome) = service.run().await? else {
            return Ok(());
        };
        match store::finish(&service.receiver, outcome, &work.schedule).await? {
            Rest::After(Duration::ZERO) => {}
            Rest::After(after) => {
                return Ok(queue::ring_later(work.redis, entry.webhook, after).await?);
            }
            Rest::Nothing => {
                work.redis.del(&keys::webhook_due(entry.webhook)).await?;
                return Ok(());
            }
            Rest::Unknown => return Ok(()),
        }
    }
    Ok(())
}

/// A receiver that is being served.
struct Service<'a> {
    work: &'a Work,
    entry: &'a Entry,
    receiver: Claimed,
    target: Rc<Target>,
    window: Window,
    /// The conversations in which something is being sent or settled.
    busy: BTreeSet<ConversationId>,
    looked_at: Option<Instant>,
    renewed_at: Instant,
    /// Whether the last look found as much as it could.
    may_have_more: bool,
}

impl<'a> Service<'a> {
    fn new(work: &'a Work, entry: &'a Entry, receiver: Claimed) -> Self {
        let target = Target {
            id: receiver.id,
            url: receiver.url.clone(),
            contents: receiver.contents,
            secrets: receiver.secrets.clone(),
            allow_private: work.allow_private,
            is_stopped: Cell::new(false),
        };
        Self {
            work,
            entry,
            window: Window::new(receiver.is_failing),
            receiver,
            target: Rc::new(target),
            busy: BTreeSet::new(),
            looked_at: None,
            renewed_at: Instant::now(),
            may_have_more: true,
        }
    }

    /// Sends what is due; how to leave the receiver, or `None` if it is another worker's by now.
    async fn run(&mut self) -> Result<Option<Outcome>> {
        let mut lanes = FuturesUnordered::new();
        let mut settling = FuturesUnordered::new();
        let mut sent: Vec<Attempt> = Vec::new();
        loop {
            let Some(found) = self.look().await? else {
                return Ok(None);
            };
            for lane in found {
                self.busy
                    .extend(lane.first().map(|event| event.conversation));
                lanes.push(send_lane(Rc::clone(&self.target), lane));
            }
            if settling.is_empty() && !sent.is_empty() {
                settling.push(settle(
                    self.work,
                    self.receiver.id,
                    std::mem::take(&mut sent),
                ));
            }
            if lanes.is_empty() && settling.is_empty() {
                break;
            }
            let mut tick = std::pin::pin!(clock::sleep(POLL).fuse());
            select_biased! {
                settled = settling.select_next_some() => {
                    for attempt in settled? {
                        self.busy.remove(&attempt.conversation);
                    }
                }
                attempts = lanes.select_next_some() => {
                    self.take(&attempts);
                    sent.extend(attempts);
                }
                () = tick => {}
            }
        }
        Ok(Some(self.window.outcome()))
    }

    /// Looks for what is due, if there is room for it; and gives a sign of life now and then.
    async fn look(&mut self) -> Result<Option<Vec<Lane>>> {
        let room = match self.window.outcome() {
            Outcome::Served => self.window.limit.saturating_sub(self.busy.len()),
            _ => 0,
        };
        let is_late = self.looked_at.is_none_or(|at| at.elapsed() >= POLL);
        let looks = room > 0 && (is_late || self.may_have_more);
        if !looks && self.renewed_at.elapsed() < RENEWAL {
            return Ok(Some(vec![]));
        }
        let room = if looks { room } else { 0 };
        let busy = self.busy.iter().copied();
        let found = store::next(&mut self.receiver, busy, room).await?;
        if looks {
            let count = found.as_ref().map_or(0, Vec::len);
            self.looked_at = Some(Instant::now());
            self.may_have_more = count >= room;
        }
        if self.renewed_at.elapsed() >= RENEWAL {
            self.renewed_at = Instant::now();
            self.give_sign().await;
        }
        Ok(found)
    }

    /// A Redis that is away or lost everything stops nothing: the lease in PostgreSQL counts.
    async fn give_sign(&self) {
        let redis = self.work.redis;
        let (renewed, rings) = join!(
            queue::renew(redis, &self.work.worker, self.entry),
            queue::ring_later(redis, self.receiver.id, LEASE)
        );
        if let Err(cause) = renewed.and(rings) {
            log::warn!("the queue does not know of a worker: {cause}");
        }
    }

    fn take(&mut self, attempts: &[Attempt]) {
        for attempt in attempts {
            self.window.record(attempt);
        }
        // Behind a full lane there may be more of its conversation.
        self.may_have_more |= attempts.len() > 1;
        self.target
            .is_stopped
            .set(self.window.outcome() != Outcome::Served);
    }
}

/// Sends events one after the other, until one fails.
async fn send_lane(target: Rc<Target>, lane: Lane) -> Vec<Attempt> {
    let mut attempts = Vec::with_capacity(lane.len());
    for event in lane {
        if target.is_stopped.get() && !attempts.is_empty() {
            break;
        }
        let (status, error) = match send(&target, &event).await {
            Ok(status @ 200..300) => (Some(status), None),
            Ok(status @ 300..400) => (Some(status), Some("redirects are not followed".into())),
            Ok(status) => (Some(status), Some(format!("status {status}"))),
            Err(cause) => (None, Some(cause.chars().take(200).collect())),
        };
        let has_failed = error.is_some();
        attempts.push(Attempt {
            conversation: event.conversation,
            seq: event.seq,
            before: event.attempts,
            status,
            error,
        });
        if has_failed {
            break;
        }
    }
    attempts
}

/// The status of the response, or why there is none.
async fn send(target: &Target, event: &Queued) -> Result<u16, String> {
    // It may have been registered when the operator allowed more.
    let address = Address::parse(&target.url, target.allow_private);
    let address = address.map_err(|refused| format!("the address {refused}"))?;
    let body = event
        .body(target.contents)
        .map_err(|error| error.to_string())?;
    let (id, now) = (event.id(target.id), SystemTime::now());
    let timestamp = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    let signatures: Result<Vec<String>> = target
        .secrets
        .iter()
        .map(|secret| secret.sign(&id, timestamp, &body))
        .collect();
    let signatures = signatures.map_err(|error| error.to_string())?;
    let headers = [
        ("webhook-id", id),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures.join(" ")),
        (
            "user-agent",
            concat!("LexiFlow-Messaging/", env!("CARGO_PKG_VERSION")).into(),
        ),
    ];
    post_json_with(address.as_str(), &headers, body, TIMEOUT).await
}

/// Records what came of attempts; gives them back.
async fn settle(work: &Work, receiver: WebhookId, attempts: Vec<Attempt>) -> Result<Vec<Attempt>> {
    fault(3).await;
    for (conversation, seq, reason) in store::settle(receiver, &attempts, &work.schedule).await? {
        let delivery = delivery_id(receiver, conversation, seq);
        log::warn!("the delivery {delivery} failed for the last time");
        let reason = reason.unwrap_or_default();
        if let Err(cause) = queue::bury(work.redis, &delivery, &reason).await {
            // PostgreSQL has it as dead.
            log::warn!("the delivery {delivery} is not among the dead letters: {cause}");
        }
    }
    fault(4).await;
    Ok(attempts)
}

/// How many conversations are served at once, by what came of the attempts before: a receiver that cannot
/// be reached keeps few requests waiting, and one that is fast gets many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    limit: usize,
    /// How many attempts in a row found nothing there.
    unreachable: usize,
    /// With how many of them the receiver counts as failing.
    tolerance: usize,
    is_gone: bool,
}

impl Window {
    const FIRST: usize = 4;
    const MOST: usize = 32;

    /// After a failure one attempt tells.
    const fn new(is_failing: bool) -> Self {
        let limit = if is_failing { 1 } else { Self::FIRST };
        Self {
            limit,
            unreachable: 0,
            tolerance: limit,
            is_gone: false,
        }
    }

    fn record(&mut self, attempt: &Attempt) {
        match (&attempt.error, attempt.status) {
            (None, _) => {
                self.unreachable = 0;
                self.tolerance = Self::FIRST;
                self.limit = (self.limit * 2).clamp(Self::FIRST, Self::MOST);
            }
            (Some(_), Some(410)) => self.is_gone = true,
            // Of the receiver, or of what is in front of it; any other status is about the event.
            (Some(_), None | Some(429 | 502 | 503 | 504)) => {
                self.unreachable += 1;
                self.limit = (self.limit / 2).max(1);
            }
            (Some(_), Some(_)) => {}
        }
    }

    const fn outcome(&self) -> Outcome {
        if self.is_gone {
            Outcome::Gone
        } else if self.unreachable >= self.tolerance {
            Outcome::Failing
        } else {
            Outcome::Served
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(status: Option<u16>) -> Attempt {
        let is_success = matches!(status, Some(200..300));
        Attempt {
            conversation: "1".parse().unwrap(),
            seq: "1".parse().unwrap(),
            before: 0,
            status,
            error: (!is_success).then(String::new),
        }
    }

    fn window(is_failing: bool, statuses: &[Option<u16>]) -> Window {
        let mut window = Window::new(is_failing);
        for status in statuses {
            window.record(&attempt(*status));
        }
        window
    }

    #[test]
    fn a_receiver_that_answers_gets_more_at_once() {
        let limits = (0..5).map(|count| window(false, &vec![Some(204); count]).limit);
        assert_eq!(limits.collect::<Vec<_>>(), [4, 8, 16, 32, 32]);
        assert_eq!(window(true, &[]).limit, 1);
        assert_eq!(window(true, &[Some(200)]).limit, 4);
    }

    #[test]
    fn a_receiver_that_cannot_be_reached_is_left_alone() {
        assert_eq!(window(false, &[None; 3]).outcome(), Outcome::Served);
        assert_eq!(window(false, &[None; 4]).outcome(), Outcome::Failing);
        assert_eq!(window(true, &[Some(503)]).outcome(), Outcome::Failing);
        let between = [None, None, None, Some(200), None, None, None];
        assert_eq!(window(false, &between).outcome(), Outcome::Served);
    }

    #[test]
    fn what_is_wrong_with_an_event_says_nothing_of_the_receiver() {
        assert_eq!(window(true, &[Some(500); 9]).outcome(), Outcome::Served);
        assert_eq!(
            window(false, &[Some(404), Some(410)]).outcome(),
            Outcome::Gone
        );
    }
}
