//! Publishing to the proxies that hold sockets: what was added to the feeds of users who have some.
//!
//! It runs concurrently with the deliveries of a drain, which do not wait for it. What a proxy does not take stays
//! in a backlog, and is published once the proxy answers again.
//!
//! # Layout
//!
//! - [`Publisher`]: takes what was added to feeds. [`Worker`]: publishes it.
//! - `proxy`: one proxy, and whether it answers.
//! - `backlog`: what a proxy did not take.

mod backlog;
mod proxy;

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::{join_all, pending};
use platform::clock;

use crate::cache::{self, Epoch};
use crate::feeds::{Added, FeedEvent, FeedPosition, Publication, resolve_for};
use crate::ids::UserId;
use crate::{RedisService, Result, gateway};

use proxy::Proxy;

/// How often a drain that has nothing else to do looks whether all is published.
const POLL: Duration = Duration::from_millis(10);

/// Takes what was added to feeds.
pub struct Publisher {
    queue: UnboundedSender<Publication>,
    /// How much was taken and is not published yet.
    waiting: Rc<Cell<usize>>,
}

/// Publishes what a [`Publisher`] takes.
pub struct Worker {
    redis: RedisService,
    epoch: Epoch,
    proxies: Vec<Proxy>,
    queue: UnboundedReceiver<Publication>,
    waiting: Rc<Cell<usize>>,
}

/// A publisher and its worker, for one drain.
pub async fn start(redis: RedisService) -> Result<(Publisher, Worker)> {
    let addresses = gateway::control_addresses().await?;
    let proxies = addresses
        .into_iter()
        .map(|address| Proxy::look(redis, address));
    let proxies: Result<Vec<Proxy>> = join_all(proxies).await.into_iter().collect();
    let (sender, receiver) = unbounded();
    let waiting = Rc::default();
    let publisher = Publisher {
        queue: sender,
        waiting: Rc::clone(&waiting),
    };
    let worker = Worker {
        redis,
        epoch: cache::epoch().await?,
        proxies: proxies?,
        queue: receiver,
        waiting,
    };
    Ok((publisher, worker))
}

impl Publisher {
    /// Takes what was added to a user's feed; `event` gives the reference of each.
    pub fn take<'a>(&self, user: UserId, added: &[Added], event: impl Fn(usize) -> &'a str) {
        for added in added {
            let publication = Publication {
                user,
                id: added.id,
                previous: added.previous,
                reference: event(added.at).into(),
            };
            if self.queue.unbounded_send(publication).is_ok() {
                self.waiting.set(self.waiting.get() + 1);
            }
        }
    }

    /// Whether all is published.
    pub fn is_idle(&self) -> bool {
        self.waiting.get() == 0
    }

    /// Waits a moment for what is not published yet.
    pub async fn pause(&self) {
        clock::sleep(POLL).await;
    }

    /// Waits until all is published, or in a backlog.
    pub async fn finish(&self) {
        while !self.is_idle() {
            self.pause().await;
        }
    }
}

impl Worker {
    /// Publishes what comes, for as long as it is polled.
    pub async fn run(mut self) -> Infallible {
        if self.proxies.iter().any(Proxy::is_behind) {
            self.waiting.set(self.waiting.get() + 1);
            self.catch_up().await;
            self.waiting.set(self.waiting.get() - 1);
        }
        while let Some(first) = self.queue.next().await {
            let mut batch = vec![first];
            while let Ok(more) = self.queue.try_recv() {
                batch.push(more);
            }
            self.publish(&batch).await;
            self.waiting.set(self.waiting.get() - batch.len());
        }
        pending().await
    }

    async fn publish(&self, batch: &[Publication]) {
        // Without a proxy nothing has to be known of it; under another server the ids are others.
        if self.proxies.is_empty() || !self.epoch.is_current() {
            return;
        }
        let events = match resolve_for(batch).await {
            Ok(texts) => self.events(batch, &texts),
            Err(cause) => {
                log::warn!("not published yet: {cause}");
                let (proxies, starts) = (self.proxies.iter(), self.starts(batch));
                join_all(proxies.map(|proxy| proxy.keep(self.redis, &starts))).await;
                return;
            }
        };
        let proxies = self.proxies.iter();
        join_all(proxies.map(|proxy| proxy.publish(self.redis, &events))).await;
        self.catch_up().await;
    }

    async fn catch_up(&self) {
        let proxies = self.proxies.iter();
        join_all(proxies.map(|proxy| proxy.catch_up(self.redis))).await;
    }

    /// What users may see. An event behind one that is left out names that one: then the client asks
    /// for what it lacks, and gets nothing.
    fn events(&self, batch: &[Publication], texts: &[Option<Rc<str>>]) -> Vec<(UserId, FeedEvent)> {
        let seen = batch.iter().zip(texts);
        let seen = seen.filter_map(|(publication, text)| Some((publication, text.as_ref()?)));
        seen.map(|(publication, text)| {
            let event = FeedEvent {
                id: self.position(publication.id),
                previous: self.position(publication.previous),
                json: text.to_string(),
            };
            (publication.user, event)
        })
        .collect()
    }

    fn position(&self, entry: platform::redis::StreamId) -> String {
        let server = self.epoch.as_str().into();
        FeedPosition { entry, server }.to_string()
    }

    /// Behind which position each publication comes.
    fn starts(&self, batch: &[Publication]) -> Vec<(UserId, String)> {
        let start = |p: &Publication| (p.user, self.position(p.previous));
        batch.iter().map(start).collect()
    }
}
