//! How a response asks the proxy to hold the stream that it begins.

use std::time::Duration;

use ::http::HeaderName;

use crate::http::Response;

/// What idle streams get, as a string of C: a comment.
const KEEP_ALIVE: &str = r": keep-alive\n\n";
/// How long a stream is idle before that. The proxy counts up to a second less.
const IDLE_SECONDS: u64 = 10;

/// Where the proxy goes on when the response is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Path and query.
    pub path: String,
    /// After how long the proxy asks there by itself, while it holds the stream.
    pub after: Duration,
}

/// A channel whose publications a stream gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The channel.
    pub channel: String,
    /// The id of the last publication that the stream has: what does not follow that one is not
    /// delivered, and the proxy asks by the link instead. None delivers whatever comes.
    pub last: Option<String>,
}

/// Holds the stream, with these subscriptions, and asks by the link for what they did not bring.
#[must_use]
pub fn hold(response: Response, subscriptions: &[Subscription], link: &Link) -> Response {
    let channels: Vec<String> = subscriptions.iter().map(Subscription::parameter).collect();
    let keep_alive = format!("{KEEP_ALIVE}; format=cstring; mode=idle; timeout={IDLE_SECONDS}");
    go_on(response, link)
        .header(HeaderName::from_static("grip-hold"), "stream")
        .header(HeaderName::from_static("grip-channel"), channels.join(", "))
        .header(HeaderName::from_static("grip-keep-alive"), keep_alive)
}

/// Goes on with the response of the link at once.
#[must_use]
pub fn go_on(response: Response, link: &Link) -> Response {
    let (path, seconds) = (&link.path, link.after.as_secs());
    let link = format!("<{path}>; rel=next; timeout={seconds}");
    response.header(HeaderName::from_static("grip-link"), link)
}

/// The id of the last publication of a channel that a stream has, by the proxy's `Grip-Last` headers.
#[must_use]
pub fn last_of<'a>(mut headers: impl Iterator<Item = &'a str>, channel: &str) -> Option<&'a str> {
    headers.find_map(|header| {
        let (name, parameters) = header.split_once(';')?;
        let id = parameters.trim().strip_prefix("last-id=")?;
        (name.trim() == channel).then_some(id)
    })
}

impl Subscription {
    fn parameter(&self) -> String {
        let Self { channel, last } = self;
        match last {
            Some(last) => format!("{channel}; prev-id={last}"),
            None => channel.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_id_is_that_of_the_channel() {
        let headers = ["feed-7; last-id=5-0.ab", "conversation-7; last-id=9"];
        let last = |channel| last_of(headers.into_iter(), channel);
        assert_eq!(last("conversation-7"), Some("9"));
        assert_eq!(last("feed-7"), Some("5-0.ab"));
        assert_eq!(last("feed-70"), None);
        assert_eq!(last_of(["feed-7", ""].into_iter(), "feed-7"), None);
    }
}
