//! One proxy, and whether it answers.

use std::cell::Cell;
use std::time::Duration;

use platform::grip::{Item, publish_body};
use platform::http::post_json;
use platform::redis::{RedisError, Repeat};
use platform::{args, clock::Instant};
use sha2::{Digest, Sha256};

use super::backlog;
use super::outgoing::Outgoing;
use crate::{RedisService, Result, keys};

/// How long a proxy may take to answer.
const TIMEOUT: Duration = Duration::from_secs(1);
/// How long nothing is published to a proxy that did not answer.
const PAUSE: Duration = Duration::from_secs(2);
/// How long one drain works at a backlog.
const BUDGET: Duration = Duration::from_millis(500);
/// How many items one request has at the most, and about how many bytes of text.
const ITEMS: usize = 500;
const BYTES: usize = 256 * 1024;

/// What is known of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has all that was published before.
    Current,
    /// It lacks what is in its backlog.
    Behind,
    /// It did not answer lately.
    Down,
}

/// Whether a request was answered.
enum Sent {
    Yes,
    No,
}

/// A proxy.
pub struct Proxy {
    address: String,
    /// What Redis knows it by: addresses may hold secrets.
    name: String,
    state: Cell<State>,
}

impl Proxy {
    /// The proxy at an address, as the last drain left it.
    pub async fn look(redis: RedisService, address: String) -> Result<Self> {
        let digest = Sha256::digest(&address);
        let name: String = digest[..6].iter().map(|b| format!("{b:02x}")).collect();
        let (down, backlog) = (keys::proxy_down(&name), keys::backlog(&name));
        let (down, waiting) = futures::join!(
            redis.get(&down),
            redis.command::<i64>(Repeat::Safe, "HLEN", args![backlog])
        );
        let state = match (down?, waiting?) {
            (Some(_), _) => State::Down,
            (None, 0) => State::Current,
            (None, _) => State::Behind,
        };
        let state = Cell::new(state);
        Ok(Self {
            address,
            name,
            state,
        })
    }

    /// Whether there is a backlog to publish.
    pub fn is_behind(&self) -> bool {
        self.state.get() == State::Behind
    }

    /// Publishes, unless what is older waits: then this waits too.
    pub async fn publish(&self, redis: RedisService, outgoing: &[Outgoing]) {
        let mut rest = outgoing;
        while self.state.get() == State::Current && !rest.is_empty() {
            let (now, later) = rest.split_at(fit(rest));
            match self.send(redis, now).await {
                Sent::Yes => rest = later,
                Sent::No => break,
            }
        }
        self.keep(redis, rest.iter().filter_map(Outgoing::field))
            .await;
    }

    /// Adds fields to the backlog.
    pub async fn keep(&self, redis: RedisService, fields: impl Iterator<Item = (String, String)>) {
        let fields: Vec<_> = fields.collect();
        if !fields.is_empty() {
            backlog::add(redis, &self.name, &fields).await;
        }
    }

    /// Publishes the backlog, or a part of it.
    pub async fn catch_up(&self, redis: RedisService) {
        let deadline = Instant::now() + BUDGET;
        while self.is_behind() && Instant::now() < deadline {
            match backlog::take(redis, &self.name).await {
                Ok(fields) if fields.is_empty() => self.state.set(State::Current),
                Ok(fields) => self.publish_backlog(redis, &fields).await,
                Err(_) => return,
            }
        }
    }

    async fn publish_backlog(&self, redis: RedisService, fields: &[(String, String)]) {
        let pages = backlog::read(fields).await;
        let mut rest = &pages.outgoing[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fit(rest));
            if let Sent::No = self.send(redis, now).await {
                backlog::put_back(redis, &self.name, fields).await;
                return;
            }
            rest = later;
        }
        backlog::put_back(redis, &self.name, &pages.rest).await;
    }

    async fn send(&self, redis: RedisService, outgoing: &[Outgoing]) -> Sent {
        let items: Vec<Item> = outgoing.iter().flat_map(Outgoing::items).collect();
        let url = format!("{}/publish/", self.address);
        match post_json(&url, publish_body(&items), TIMEOUT).await {
            Ok(200..300) => Sent::Yes,
            // The same items would be refused again.
            Ok(status @ 400..500) => {
                log::error!("a proxy refused what was published: {status}");
                Sent::Yes
            }
            Ok(status) => self.is_down(redis, &format!("status {status}")).await,
            Err(cause) => self.is_down(redis, &cause).await,
        }
    }

    async fn is_down(&self, redis: RedisService, cause: &str) -> Sent {
        log::warn!("a proxy does not take what is published: {cause}");
        self.state.set(State::Down);
        let mark: Result<(), RedisError> = redis
            .set(&keys::proxy_down(&self.name), b"1", Some(PAUSE))
            .await;
        if let Err(cause) = mark {
            log::warn!("it is not known to be down: {cause}");
        }
        Sent::No
    }
}

/// How much of it fits into a request; one at the least.
fn fit(outgoing: &[Outgoing]) -> usize {
    let mut bytes = 0;
    let fits = outgoing.iter().take(ITEMS).take_while(|one| {
        bytes += one.len();
        bytes <= BYTES
    });
    fits.count().max(1)
}
