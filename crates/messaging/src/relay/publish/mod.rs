//! Publishing to the proxies that hold sockets and event streams: what was added where they have readers.
//!
//! It runs concurrently with the deliveries of a drain, which do not wait for it. What a proxy does not take stays
//! in a backlog, and is published once the proxy answers again.
//!
//! # Layout
//!
//! - [`Publisher`]: takes what was added. [`Worker`]: publishes it.
//! - `outgoing`: what a proxy is sent.
//! - `proxy`: one proxy, and whether it answers.
//! - `backlog`: what a proxy did not take.
//! - `notices`: what else is published: that rights are to be checked.

mod backlog;
mod notices;
mod outgoing;
mod proxy;

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::{join_all, pending};
use futures::task::AtomicWaker;
use platform::clock;
use platform::redis::StreamId;

use crate::cache::{self, Epoch};
use crate::feeds::{Additions, FeedEvent, FeedPosition, Publication, Reader, resolve_for};
use crate::gateway::{Channel, Notice};
use crate::ids::{ConversationId, Seq, UserId};
use crate::{RedisService, Result, gateway};

use outgoing::{Outgoing, Target};
use proxy::Proxy;

/// How long a drain that has nothing else to do waits before it looks for more.
const POLL: Duration = Duration::from_millis(10);

/// What waits to be published.
enum Work {
    Entry(Publication),
    Notice(Notice),
}

/// Takes what was added.
pub struct Publisher {
    queue: UnboundedSender<Work>,
    /// Whether there is no proxy.
    is_off: bool,
    /// How much was taken and is not published yet.
    waiting: Rc<Waiting>,
}

/// Publishes what a [`Publisher`] takes.
pub struct Worker {
    redis: RedisService,
    epoch: Epoch,
    proxies: Vec<Proxy>,
    queue: UnboundedReceiver<Work>,
    waiting: Rc<Waiting>,
}

/// How much waits to be published, and what waits for that.
#[derive(Default)]
struct Waiting {
    count: Cell<usize>,
    woken: AtomicWaker,
}

impl Waiting {
    fn add(&self) {
        self.count.set(self.count.get() + 1);
    }

    fn remove(&self, count: usize) {
        self.count.set(self.count.get() - count);
        if self.count.get() == 0 {
            self.woken.wake();
        }
    }
}

/// A publisher and its worker, for one drain.
pub async fn start(redis: RedisService) -> Result<(Publisher, Worker)> {
    let addresses = gateway::control_addresses().await?;
    let proxies = addresses
        .into_iter()
        .map(|address| Proxy::look(redis, address));
    let proxies: Result<Vec<Proxy>> = join_all(proxies).await.into_iter().collect();
    let (sender, receiver) = unbounded();
    let waiting: Rc<Waiting> = Rc::default();
    let proxies = proxies?;
    let publisher = Publisher {
        queue: sender,
        is_off: proxies.is_empty(),
        waiting: Rc::clone(&waiting),
    };
    let worker = Worker {
        redis,
        epoch: cache::epoch().await?,
        proxies,
        queue: receiver,
        waiting,
    };
    Ok((publisher, worker))
}

impl Publisher {
    /// Takes what was added to a user's feed; `event` gives the reference of each.
    pub fn take<'a>(&self, user: UserId, new: &Additions, event: impl Fn(usize) -> &'a str) {
        let reader = Reader::User {
            user,
            sockets: new.sockets,
            streams: new.streams,
        };
        for added in &new.added {
            self.push(Work::Entry(Publication {
                reader,
                id: added.id,
                previous: added.previous,
                reference: event(added.at).into(),
            }));
        }
        if new.streams && new.repeated {
            // Where the repeated ones are in the feed is not known: streams ask for what they lack.
            let channel = Channel::Feed(user).to_string();
            self.push(Work::Notice(Notice::Check(channel)));
        }
    }

    /// Takes events of a conversation of which a proxy may hold streams. Repeated ones are published
    /// again: the relay that published them first may have died before.
    pub fn take_events(&self, id: ConversationId, events: &[(Seq, String)]) {
        for (seq, reference) in events {
            let entry = |seq: i64| StreamId {
                major: u64::try_from(seq).unwrap_or_default(),
                minor: 0,
            };
            self.push(Work::Entry(Publication {
                reader: Reader::Conversation(id),
                id: entry(seq.get()),
                previous: entry(seq.get() - 1),
                reference: reference.as_str().into(),
            }));
        }
    }

    /// Takes a signal of a conversation of which a proxy may hold streams.
    pub fn take_signal(&self, id: ConversationId, event: &str) {
        self.push(Work::Entry(Publication {
            reader: Reader::Signals(id),
            id: StreamId::default(),
            previous: StreamId::default(),
            reference: event.into(),
        }));
    }

    /// Takes the notices that wait, unless there is no proxy.
    pub async fn take_notices(&self, redis: RedisService) -> Result<()> {
        if self.is_off {
            return Ok(());
        }
        for notice in notices::waiting(redis).await? {
            self.push(Work::Notice(notice));
        }
        Ok(())
    }

    fn push(&self, work: Work) {
        if self.queue.unbounded_send(work).is_ok() {
            self.waiting.add();
        }
    }

    /// Whether all is published.
    pub fn is_idle(&self) -> bool {
        self.waiting.count.get() == 0
    }

    /// Waits a moment for what is not published yet.
    pub async fn pause(&self) {
        let _late = clock::timeout(POLL, self.finish()).await;
    }

    /// Waits until all is published, or in a backlog.
    pub async fn finish(&self) {
        poll_fn(|context| {
            // Publisher and worker are polled by the same task.
            self.waiting.woken.register(context.waker());
            if self.is_idle() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

impl Worker {
    /// Publishes what comes, for as long as it is polled.
    pub async fn run(mut self) -> Infallible {
        if self.proxies.iter().any(Proxy::is_behind) {
            self.waiting.add();
            self.catch_up().await;
            self.waiting.remove(1);
        }
        while let Some(first) = self.queue.next().await {
            let mut batch = vec![first];
            while let Ok(more) = self.queue.try_recv() {
                batch.push(more);
            }
            let taken = batch.len();
            self.publish(batch).await;
            self.waiting.remove(taken);
        }
        pending().await
    }

    async fn publish(&self, batch: Vec<Work>) {
        if self.proxies.is_empty() {
            return;
        }
        let (mut entries, mut notices) = (vec![], vec![]);
        for work in batch {
            match work {
                Work::Entry(entry) => entries.push(entry),
                Work::Notice(notice) => notices.push(notice),
            }
        }
        // Under another server the ids are others.
        if self.epoch.is_current() {
            self.publish_entries(&entries).await;
        }
        if !notices.is_empty() {
            let outgoing = notices.iter().cloned().map(Outgoing::Notice);
            self.send(&outgoing.collect::<Vec<_>>()).await;
            notices::done(self.redis, &notices).await;
        }
        self.catch_up().await;
    }

    async fn publish_entries(&self, entries: &[Publication]) {
        match resolve_for(entries).await {
            Ok(texts) => {
                let seen = entries.iter().zip(texts);
                let outgoing = seen.flat_map(|(entry, text)| self.outgoing(entry, text));
                self.send(&outgoing.collect::<Vec<_>>()).await;
            }
            Err(cause) => {
                log::warn!("not published yet: {cause}");
                let unknown = || Some("".into());
                let all = entries.iter();
                let all = all.flat_map(|entry| self.outgoing(entry, unknown()));
                let fields: Vec<_> = all.filter_map(|one| one.field()).collect();
                let proxies = self.proxies.iter();
                let keep = proxies.map(|proxy| proxy.keep(self.redis, fields.iter().cloned()));
                join_all(keep).await;
            }
        }
    }

    async fn send(&self, outgoing: &[Outgoing]) {
        let proxies = self.proxies.iter();
        join_all(proxies.map(|proxy| proxy.publish(self.redis, outgoing))).await;
    }

    async fn catch_up(&self) {
        let proxies = self.proxies.iter();
        join_all(proxies.map(|proxy| proxy.catch_up(self.redis))).await;
    }

    /// What readers get of an entry. Sockets get none of what they may not see: the event behind it names
    /// it, the client asks for what it lacks, and gets nothing.
    fn outgoing(&self, entry: &Publication, text: Option<Rc<str>>) -> Vec<Outgoing> {
        let json = text.as_deref().unwrap_or_default();
        let event = |position: &dyn Fn(StreamId) -> String| FeedEvent {
            id: position(entry.id),
            previous: position(entry.previous),
            json: json.to_owned(),
        };
        match entry.reader {
            Reader::User {
                user,
                sockets,
                streams,
            } => {
                let targets = [
                    (Target::Sockets(user), sockets && text.is_some()),
                    (Target::Feed(user), streams),
                ];
                let targets = targets.into_iter().filter(|(_, is_there)| *is_there);
                let position = |entry| self.position(entry);
                targets
                    .map(|(target, _)| Outgoing::Event(target, event(&position)))
                    .collect()
            }
            Reader::Conversation(id) => {
                let event = event(&|entry: StreamId| entry.major.to_string());
                vec![Outgoing::Event(Target::Conversation(id), event)]
            }
            Reader::Signals(id) => {
                Vec::from_iter(text.map(|text| Outgoing::Signal(id, text.to_string())))
            }
        }
    }

    fn position(&self, entry: StreamId) -> String {
        let server = self.epoch.as_str().into();
        FeedPosition { entry, server }.to_string()
    }
}
