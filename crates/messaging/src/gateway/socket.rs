//! What is known of one socket.

use std::time::{Duration, SystemTime};

use platform::http::Request;
use serde::{Deserialize, Serialize};

use super::{Proxy, milliseconds};
use crate::auth::{Authentication, Caller, Identity, Proof, Scopes};
use crate::content::DeviceId;
use crate::ids::UserId;

/// The header that names the connection of a socket.
const CONNECTION: &str = "connection-id";
/// The header with which the proxy sends what it keeps.
const STATE: &str = "meta-socket";

/// A socket: whose it is, and by which right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// The user whose feed it is.
    pub user: UserId,
    /// The proxy's name of the connection.
    pub connection: String,
    /// The caller, if that is a user and no service.
    caller: Option<UserId>,
    /// The service's name, if it has one.
    service: Option<String>,
    /// When the caller's authentication expires, in Unix milliseconds.
    expires_at: Option<u64>,
    /// What the caller's authentication rests on.
    #[serde(default)]
    proof: Proof,
    /// When presence and lease were last renewed, in Unix milliseconds.
    renewed_at: u64,
}

impl Socket {
    /// A socket that opens; `None` if the proxy does not name its connection.
    #[must_use]
    pub fn new(
        request: &Request,
        user: UserId,
        caller: Caller,
        authentication: &Authentication,
    ) -> Option<Self> {
        let connection = request.header(CONNECTION)?;
        Some(Self {
            user,
            connection: DeviceId::parse(connection.into()).ok()?.as_str().into(),
            caller: caller.user(),
            service: authentication.service.as_deref().map(str::to_owned),
            expires_at: authentication.expires_at.map(milliseconds),
            proof: authentication.proof.clone(),
            renewed_at: milliseconds(SystemTime::now()),
        })
    }

    /// The socket of a request of the proxy.
    #[must_use]
    pub fn of(request: &Request, proxy: &Proxy) -> Option<Self> {
        let socket: Self = proxy.sealer.open(request.header(STATE)?)?;
        (request.header(CONNECTION) == Some(&*socket.connection)).then_some(socket)
    }

    /// The value of `Set-Meta-Socket`.
    #[must_use]
    pub fn sealed(&self, proxy: &Proxy) -> String {
        proxy.sealer.seal(self)
    }

    /// The caller's authentication.
    #[must_use]
    pub fn authentication(&self) -> Authentication {
        let end = |since| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(since));
        Authentication {
            identity: self.caller.map_or(Identity::Service, Identity::User),
            service: self.service.as_deref().map(Into::into),
            expires_at: self.expires_at.and_then(end),
            scopes: Scopes::default(),
            proof: self.proof.clone(),
        }
    }

    /// What the caller's authentication rests on.
    #[must_use]
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// How long the caller's authentication is still valid; `None` if it does not expire.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let now = milliseconds(SystemTime::now());
        let left = self.expires_at?.saturating_sub(now);
        Some(Duration::from_millis(left))
    }

    /// Whether the authentication has expired.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }

    /// The device that the socket is for presence.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        // It was parsed when the socket opened.
        DeviceId::parse(self.connection.clone()).unwrap_or(DeviceId::unnamed())
    }

    /// How long ago presence and lease were renewed.
    #[must_use]
    pub fn since_renewal(&self) -> Duration {
        let now = milliseconds(SystemTime::now());
        Duration::from_millis(now.saturating_sub(self.renewed_at))
    }

    /// Presence and lease were renewed.
    pub fn renewed(&mut self) {
        self.renewed_at = milliseconds(SystemTime::now());
    }
}
