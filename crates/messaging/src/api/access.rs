//! Who may call a route. `docs/access.md` shows it for all routes, and a test keeps the two equal.

use std::fmt;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone, without an identity.
    Public,
    /// Every identified caller; each sees what is theirs.
    Identified,
    /// The user that the request names, or a service. Other users get 403.
    Oneself,
    /// A participant of the conversation, or a service. For others it does not exist: 404.
    Participant,
    /// A participant who acts as themselves, or a service: 404, then 403.
    ParticipantOneself,
    /// The message's sender, or a service. Other participants get 403, others 404.
    Sender,
    /// A service. Users get 403.
    Service,
    /// The scope `messaging:records`. Others get 403.
    Records,
    /// A participant, a service, or the scope `messaging:records`. For others it does not exist: 404.
    ParticipantOrRecords,
    /// A service, or the scope `messaging:metrics`. Others get 403.
    Metrics,
    /// The proxy that holds sockets and streams, by its signature; others get 403. The action finds out for
    /// whom.
    Proxy,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "anyone",
            Self::Identified => "every identified caller",
            Self::Oneself => "the user named, a service",
            Self::Participant => "a participant, a service",
            Self::ParticipantOneself => "a participant as themselves, a service",
            Self::Sender => "its sender, a service",
            Self::Service => "a service",
            Self::Records => "the scope `messaging:records`",
            Self::ParticipantOrRecords => "a participant, a service, the scope `messaging:records`",
            Self::Metrics => "a service, the scope `messaging:metrics`",
            Self::Proxy => "the gateway's proxy",
        })
    }
}
