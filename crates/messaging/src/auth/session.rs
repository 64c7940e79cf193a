//! From a session's cookie to an authentication.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use platform::error::Credentials;
use platform::http::Request;

use super::identity::{Authentication, Identity};
use super::proof::{Claim, Proof, SessionProof};
use super::{AuthMode, cookie, cross_site};
use crate::sessions::{self, Found, SessionKey, Use};
use crate::{Error, Result};

/// How many sessions an instance remembers.
const REMEMBERED: usize = 64;

thread_local! {
    /// Whom the sessions prove that came lately. Whether they still do is asked each time; that it is
    /// known whom they would prove lets the rate be counted in the same round trip.
    static KNOWN: RefCell<HashMap<SessionKey, Authentication>> = RefCell::default();
}

/// Who calls by the request's cookie; `None` if it has none. 401 for a cookie that proves nothing, 403 if
/// the request may come from another site, 503 while Redis is away.
pub async fn identify(request: &Request, mode: AuthMode) -> Result<Option<Claim>> {
    let Some(key) = cookie::read(request.headers(), mode)? else {
        return Ok(None);
    };
    cross_site::must_be_same_origin(request, mode).await?;
    if let Some(authentication) = KNOWN.with_borrow(|known| known.get(&key).cloned()) {
        return Ok(Some(authentication.into()));
    }
    let found = sessions::find(&key, Use::Request).await?;
    let found = found.ok_or(Error::Unauthorized(Credentials::Invalid))?;
    let authentication = authentication(&key, &found)?;
    // The first request of an instance with it is charged after it was checked.
    let standing = sessions::Standing::of(&found.session.subject).await?;
    sessions::check(&key, &found, standing).await?;
    remember(key, &authentication);
    Ok(Some(Claim {
        authentication,
        is_checked: true,
    }))
}

fn authentication(key: &SessionKey, found: &Found) -> Result<Authentication> {
    let session = &found.session;
    let identity = match (session.is_service, session.subject.user()) {
        (true, _) => Identity::Service,
        (false, Some(user)) => Identity::User(user),
        (false, None) => return Err(Error::Unauthorized(Credentials::Invalid)),
    };
    let name = Some(session.subject.service_name());
    let name = name.filter(|name| session.is_service && !name.is_empty());
    let expiry = Duration::from_millis(u64::try_from(found.expires_at).unwrap_or_default());
    Ok(Authentication {
        identity,
        service: name.map(Into::into),
        expires_at: SystemTime::UNIX_EPOCH.checked_add(expiry),
        scopes: session.scopes,
        proof: Proof::Session(SessionProof {
            key: key.clone(),
            id: session.id,
            subject: session.subject.clone(),
        }),
    })
}

fn remember(key: SessionKey, authentication: &Authentication) {
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, authentication.clone());
    });
}

/// Forgets a session that was refused.
pub(super) fn forget(key: &SessionKey) {
    KNOWN.with_borrow_mut(|known| known.remove(key));
}
