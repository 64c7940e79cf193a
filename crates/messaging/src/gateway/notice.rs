//! What the relay publishes besides events: that rights have to be checked, or have ended.
//!
//! Only the relay reaches the proxies. So a notice is a member of a set in Redis, which the relay takes
//! out once the proxies have it, or it is in their backlogs.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use futures::join;
use platform::args;
use platform::redis::{Argument, RedisError, Repeat, seconds};

use crate::{RedisService, keys, relay};

/// How long a notice waits for a relay.
const TTL: Duration = Duration::from_secs(300);

/// What the connections of a channel are to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Streams ask by their links, and the clients of sockets answer a ping: both come as requests, of
    /// which the service checks the right.
    Check(String),
    /// Streams ask by their links, and sockets close with 4401: a client need not answer a ping.
    Close(String),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(channel) => write!(f, "check {channel}"),
            Self::Close(channel) => write!(f, "close {channel}"),
        }
    }
}

/// No notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no notice")]
pub struct InvalidNotice;

impl FromStr for Notice {
    type Err = InvalidNotice;

    fn from_str(text: &str) -> Result<Self, InvalidNotice> {
        match text.split_once(' ') {
            Some(("check", channel)) => Ok(Self::Check(channel.to_owned())),
            Some(("close", channel)) => Ok(Self::Close(channel.to_owned())),
            _ => Err(InvalidNotice),
        }
    }
}

/// Has the relay publish notices.
pub async fn notify(redis: RedisService, notices: &[Notice]) -> Result<(), RedisError> {
    let mut arguments = args![keys::notices()];
    arguments.extend(notices.iter().map(|notice| notice.to_string().parameter()));
    let added = redis.command::<i64>(Repeat::Safe, "SADD", arguments);
    let kept = redis.command::<bool>(Repeat::Safe, "EXPIRE", args![keys::notices(), seconds(TTL)]);
    let (added, kept) = join!(added, kept);
    added?;
    kept?;
    relay::wake_up(redis).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_survives_its_text() {
        for notice in [
            Notice::Check("streams-7".into()),
            Notice::Close("user-7".into()),
        ] {
            assert_eq!(notice.to_string().parse(), Ok(notice));
        }
        assert_eq!("x".parse::<Notice>(), Err(InvalidNotice));
        assert_eq!("later user-7".parse::<Notice>(), Err(InvalidNotice));
    }
}
