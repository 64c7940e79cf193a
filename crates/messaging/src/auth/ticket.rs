//! One-time tickets for event streams: a browser's `EventSource` cannot set
//! headers, and a token in a URL would end in logs and histories. A ticket
//! there is worth nothing once it was used.

use std::time::{Duration, SystemTime};

use platform::random;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::identity::{Authentication, Caller, Identity};
use super::proof::Proof;
use super::scopes::Scopes;
use crate::ids::UserId;
use crate::{Error, Result};
use crate::{RedisService, keys};
use platform::error::Credentials;

/// How long a ticket waits for its use.
pub const TICKET_TTL: Duration = Duration::from_secs(30);

/// 256 bits in hexadecimal.
const LENGTH: usize = 64;

/// What Redis holds of a ticket, under the hash of it: who reads Redis cannot
/// use it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The user; none for a service.
    user: Option<UserId>,
    /// The service's name, if it has one.
    service: Option<String>,
    /// When the token behind it ends, in Unix milliseconds.
    expires_at: Option<u64>,
    /// What the caller's authentication rests on.
    #[serde(default)]
    proof: Proof,
}

impl Record {
    fn new(caller: Caller, authentication: &Authentication) -> Self {
        let since_epoch = |end: SystemTime| end.duration_since(SystemTime::UNIX_EPOCH).ok();
        let milliseconds = |since: Duration| u64::try_from(since.as_millis()).ok();
        Self {
            user: caller.user(),
            service: authentication.service.as_deref().map(str::to_owned),
            expires_at: authentication
                .expires_at
                .and_then(since_epoch)
                .and_then(milliseconds),
            proof: authentication.proof.clone(),
        }
    }

    fn authentication(self) -> Authentication {
        let end = |since| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(since));
        Authentication {
            identity: self.user.map_or(Identity::Service, Identity::User),
            service: self.service.map(Into::into),
            expires_at: self.expires_at.and_then(end),
            // A ticket opens streams, and no more.
            scopes: Scopes::default(),
            proof: self.proof,
        }
    }
}

/// Makes a ticket for the caller, good for one stream within [`TICKET_TTL`]
/// and for no longer than the caller's own authentication.
pub async fn issue_ticket(caller: Caller, authentication: &Authentication) -> Result<String> {
    let ticket = random::secret();
    let record = Record::new(caller, authentication);
    RedisService::required()
        .set_json(&key(&ticket), &record, Some(TICKET_TTL))
        .await?;
    Ok(ticket)
}

/// Exchanges a ticket for the authentication that it stands for; 401 if it is unknown, expired or
/// already used.
pub async fn redeem_ticket(ticket: &str) -> Result<Authentication> {
    let invalid = Error::Unauthorized(Credentials::Invalid);
    if !is_well_formed(ticket) {
        return Err(invalid);
    }
    let record: Option<Record> = RedisService::required().take_json(&key(ticket)).await?;
    let authentication = record.ok_or(invalid)?.authentication();
    match authentication.expires_at {
        Some(end) if end <= SystemTime::now() => Err(Error::Unauthorized(Credentials::Invalid)),
        _ => Ok(authentication),
    }
}

fn is_well_formed(ticket: &str) -> bool {
    ticket.len() == LENGTH && ticket.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn key(ticket: &str) -> String {
    keys::ticket(Sha256::digest(ticket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_proves_what_its_owner_proved() {
        let end = SystemTime::UNIX_EPOCH + Duration::from_millis(4_000_000_000_123);
        let user = Identity::User(UserId::try_from(7).unwrap());
        for (identity, service) in [
            (user, None),
            (Identity::Service, None),
            (Identity::Service, Some("billing".into())),
        ] {
            let authentication = Authentication {
                identity,
                service,
                expires_at: Some(end),
                scopes: Scopes::default(),
                proof: Proof::of_token(Some("7"), Some(1000)),
            };
            let record = Record::new(identity.caller(None), &authentication);
            let json = serde_json::to_vec(&record).unwrap();
            let back: Record = serde_json::from_slice(&json).unwrap();
            assert_eq!(back.authentication(), authentication);
        }
    }

    #[test]
    fn redis_does_not_see_the_ticket() {
        let ticket = "0123456789abcdef".repeat(4);
        assert!(is_well_formed(&ticket));
        assert!(!is_well_formed(&ticket[1..]));
        assert_eq!(key(&ticket).len(), "ticket:".len() + 64);
        assert!(!key(&ticket).contains(&ticket));
    }
}
