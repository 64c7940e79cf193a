//! The requests that are measured.

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    CachedList,
    Post,
    Live,
}

impl Scenario {
    pub const ALL: [Self; 3] = [Self::CachedList, Self::Post, Self::Live];

    pub fn name(self) -> &'static str {
        match self {
            Self::CachedList => "cached list of 50 messages",
            Self::Post => "post a message",
            Self::Live => "GET /api/v1/health/live",
        }
    }
}
