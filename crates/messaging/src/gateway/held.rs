//! What is known of one event stream that the proxy holds.

use std::time::{Duration, SystemTime};

use http::Method;
use platform::grip::{Link, Subscription, last_of};
use platform::http::Request;
use platform::random;
use serde::{Deserialize, Serialize};

use super::{Channel, Proxy, milliseconds, rights};
use crate::auth::Proof;
use crate::ids::{ConversationId, UserId};
use crate::{Error, Result};

/// Where the proxy asks for what follows.
const PATH: &str = "/api/v1/messages/held-streams";
/// The parameter of the path with what is known of the stream.
const STATE: &str = "state";

/// After how long the proxy asks for the first time: what was published before it knew of the stream
/// was lost.
const FIRST_CHECK: Duration = Duration::from_secs(2);
/// The time between two requests of the proxy. Pushpin sends ten a second, of all its streams together.
pub const CHECK: Duration = Duration::from_secs(300);

/// What a stream is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A conversation's events.
    Conversation(ConversationId),
    /// A user's feed.
    Feed(UserId),
}

/// An event stream that the proxy holds: of what, whose, and how far it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldStream {
    /// Its name: that of its lease.
    pub id: String,
    /// What it is of.
    pub source: Source,
    /// The user who opened it; none for a service.
    pub caller: Option<UserId>,
    /// What the caller's authentication rests on.
    proof: Proof,
    /// When it ends, in Unix milliseconds: with the caller's authentication, or by the operator's limit.
    ends_at: Option<u64>,
    /// The position behind which the response of the link begins, unless the proxy knows better.
    after: String,
    /// Whether more follows at once: then the proxy does not know better.
    is_part: bool,
    /// How often the proxy has asked since the stream was renewed, as far as that matters.
    checks: u8,
}

impl HeldStream {
    /// A stream that begins now.
    #[must_use]
    pub fn new(
        source: Source,
        caller: Option<UserId>,
        proof: Proof,
        lifetime: Option<Duration>,
    ) -> Self {
        let end = lifetime.and_then(|lifetime| SystemTime::now().checked_add(lifetime));
        Self {
            id: format!("h{:016x}{:016x}", random::number(), random::number()),
            source,
            caller,
            proof,
            ends_at: end.map(milliseconds),
            after: String::new(),
            is_part: false,
            checks: 0,
        }
    }

    /// The stream of a request of the proxy.
    pub fn of(request: &Request, proxy: &Proxy) -> Result<Self> {
        let state = request.query_text(STATE).unwrap_or_default();
        let stream: Option<Self> = proxy.links.open(&state);
        let id: String = request.path_id("stream")?;
        let stream = stream.filter(|stream| stream.id == id);
        let mut stream = stream.ok_or(Error::Forbidden("This is no link of a stream."))?;
        stream.checks = stream.checks.saturating_add(1);
        Ok(stream)
    }

    /// Whether a request asks for a stream that its proxy can hold.
    #[must_use]
    pub fn is_wanted(request: &Request, proxy: &Proxy) -> bool {
        request.method() == Method::GET && proxy.signed(request)
    }

    /// Behind which position the client is.
    #[must_use]
    pub fn position(&self, request: &Request) -> String {
        let headers = request.headers().all("grip-last").flatten();
        let known = last_of(headers, &self.channel().to_string());
        let known = known.filter(|_| !self.is_part);
        known.unwrap_or(&self.after).to_owned()
    }

    /// The stream has what comes before this position; `is_part` if more follows at once.
    #[must_use]
    pub fn at(mut self, position: String, is_part: bool) -> Self {
        self.after = position;
        self.is_part = is_part;
        self
    }

    /// The proxy asks again soon, if the stream was not renewed.
    #[must_use]
    pub fn if_renewed(mut self, renewed: bool) -> Self {
        if !renewed {
            self.checks = 0;
        }
        self
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let now = milliseconds(SystemTime::now());
        self.ends_at.is_some_and(|end| end <= now)
    }

    /// What the caller's authentication rests on.
    #[must_use]
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Where the proxy asks for what follows, and when it does so by itself.
    #[must_use]
    pub fn link(&self, proxy: &Proxy) -> Link {
        let (id, state) = (&self.id, proxy.links.seal(self));
        Link {
            path: format!("{PATH}/{id}?{STATE}={state}"),
            after: self.check_in(),
        }
    }

    fn check_in(&self) -> Duration {
        let check = if self.checks == 0 { FIRST_CHECK } else { CHECK };
        let now = milliseconds(SystemTime::now());
        let left = self.ends_at.map(|end| end.saturating_sub(now) + 1000);
        check.min(left.map_or(check, Duration::from_millis))
    }

    /// What it gets.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Subscription> {
        let whatever = |channel: Channel| Subscription {
            channel: channel.to_string(),
            last: None,
        };
        let signals = match self.source {
            Source::Conversation(id) => Some(whatever(Channel::Signals(id))),
            Source::Feed(_) => None,
        };
        let events = Subscription {
            channel: self.channel().to_string(),
            last: Some(self.after.clone()),
        };
        let of_caller = self.caller.map(Channel::Streams).map(whatever);
        let everyone = Some(whatever(Channel::Everyone));
        let others = [signals, of_caller, everyone].into_iter().flatten();
        let proof = rights::channels_of(&self.proof).into_iter();
        let proof = proof.map(|channel| Subscription {
            channel,
            last: None,
        });
        [events].into_iter().chain(others).chain(proof).collect()
    }

    fn channel(&self) -> Channel {
        match self.source {
            Source::Conversation(id) => Channel::Conversation(id),
            Source::Feed(user) => Channel::Feed(user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(lifetime: Option<Duration>) -> HeldStream {
        let source = Source::Conversation("7".parse().unwrap());
        let proof = Proof::of_token(Some("9"), None);
        HeldStream::new(source, "9".parse().ok(), proof, lifetime)
    }

    #[test]
    fn events_come_in_order_and_signals_as_they_come() {
        let subscriptions = stream(None).at("12".into(), false).subscriptions();
        let of = |channel: &str, last: Option<&str>| Subscription {
            channel: channel.into(),
            last: last.map(str::to_owned),
        };
        let expected = [
            of("conversation-7", Some("12")),
            of("signals-7", None),
            of("streams-9", None),
            of("everyone", None),
            of("tokens-9", None),
        ];
        assert_eq!(subscriptions, expected);
    }

    #[test]
    fn the_proxy_asks_soon_at_first_and_when_the_right_ends() {
        let mut stream = stream(Some(Duration::from_secs(60)));
        assert_eq!(stream.check_in(), FIRST_CHECK);
        stream.checks = 1;
        let left = stream.check_in();
        assert!(Duration::from_secs(55) < left && left <= Duration::from_secs(61));
        assert!(!stream.is_over());
        stream.ends_at = Some(0);
        assert!(stream.is_over());
        assert!(stream.check_in() <= Duration::from_secs(1));
        stream.ends_at = None;
        assert_eq!(stream.check_in(), CHECK);
    }
}
