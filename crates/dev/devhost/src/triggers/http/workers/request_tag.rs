//! The id of a request, for the log.

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use http::HeaderValue;

/// A request's id, and whether it has a response.
pub struct RequestTag {
    id: RequestId,
    answered: AtomicBool,
}

/// The client's `X-Request-Id`, or a number of devhost's own.
pub enum RequestId {
    /// The value that the client sent.
    Client(HeaderValue),
    /// The number of requests without an id until this one.
    Own(u64),
}

impl RequestTag {
    /// A tag for a request whose `X-Request-Id` is `id`.
    pub fn new(id: Option<&HeaderValue>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let own = || RequestId::Own(NEXT.fetch_add(1, Relaxed));
        Self {
            id: id.cloned().map_or_else(own, RequestId::Client),
            answered: AtomicBool::new(false),
        }
    }

    /// The request's id.
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// Records that the instance has started the response.
    pub fn set_answered(&self) {
        self.answered.store(true, Relaxed);
    }

    /// Whether the instance has started the response.
    pub fn is_answered(&self) -> bool {
        self.answered.load(Relaxed)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(id) => f.write_str(&String::from_utf8_lossy(id.as_bytes())),
            Self::Own(number) => write!(f, "devhost-{number}"),
        }
    }
}
