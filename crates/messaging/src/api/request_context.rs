//! A request with the identity behind it.

use std::ops::Deref;

use platform::config;
use platform::http::{Request, parse_json};
use serde::de::DeserializeOwned;

use super::Rate;
use crate::auth::{Authentication, Caller, Identity, RECORDS_SCOPE};
use crate::content::{Content, IdempotencyKey, InvalidText};
use crate::ids::UserId;
use crate::messages::CallerKey;
use crate::records::Actor;
use crate::{Error, Result};

/// The limit of bodies that hold no content, in bytes.
const SMALL_BODY: usize = 64 * 1024;

/// How much larger than the content a body may be: JSON may escape each byte with six, and the
/// other members need room.
const fn body_limit(max_content_bytes: usize) -> usize {
    max_content_bytes.saturating_mul(6).saturating_add(8 * 1024)
}

/// As how many more requests a body of this length counts: one for each 16 KiB.
#[must_use]
pub const fn requests_of(length: usize) -> u64 {
    (length / (16 * 1024)) as u64
}

/// A request with the identity behind it.
pub struct RequestContext {
    request: Request,
    authentication: Authentication,
    rate: Rate,
}

impl Deref for RequestContext {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.request
    }
}

impl RequestContext {
    pub(super) fn new(request: Request, authentication: Authentication) -> Self {
        Self {
            request,
            authentication,
            rate: Rate::default(),
        }
    }

    pub(super) fn with_rate(self, rate: Rate) -> Self {
        Self { rate, ..self }
    }

    /// The caller's rate, for actions that cost more than most.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate.clone()
    }

    /// The identity, for actions that learn only from the body which user is named.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        self.authentication.identity
    }

    /// The identity, and how long it is valid.
    #[must_use]
    pub const fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// The caller: a verified identity, or in open mode the user that the path or the query names.
    pub fn caller(&self) -> Result<Caller> {
        if !self.has_path_parameter("userId") {
            return self.caller_by_query();
        }
        let named: UserId = self.path_id("userId")?;
        Ok(self.identity().caller(Some(named)))
    }

    /// The caller of a route whose body or path names another user than the caller: in open mode
    /// only the query names the caller.
    pub fn caller_by_query(&self) -> Result<Caller> {
        Ok(self.identity().caller(self.query("userId")?))
    }

    /// Whether the caller has the scope `messaging:records`; in open mode who names nobody has it.
    pub fn has_records(&self) -> Result<bool> {
        Ok(match self.identity() {
            Identity::Open => self.caller_by_query()?.user().is_none(),
            _ => self.authentication.scopes.records,
        })
    }

    /// 403 unless the caller has the scope `messaging:records`.
    pub fn must_have_records(&self) -> Result<()> {
        if self.has_records()? {
            return Ok(());
        }
        Err(Error::InsufficientScope(RECORDS_SCOPE))
    }

    /// Whose view of a conversation the response shows: `None` sees everything. For routes that the
    /// scope `messaging:records` is enough for.
    pub fn viewer_or_records(&self) -> Result<Option<UserId>> {
        let caller = self.caller_by_query()?;
        Ok(caller
            .user()
            .filter(|_| !self.authentication.scopes.records))
    }

    /// The caller as the audit trail names them.
    pub fn actor(&self) -> Result<Actor> {
        let name = match (
            self.identity(),
            self.caller()?,
            &self.authentication.service,
        ) {
            (Identity::User(user), ..) | (Identity::Open, Caller::User(user), _) => {
                format!("user:{user}")
            }
            (_, _, Some(name)) => format!("service:{name}"),
            (_, _, None) => "service".into(),
        };
        Ok(Actor {
            name,
            request_id: self.request.id(),
        })
    }

    /// The header `Idempotency-Key`, if there is one.
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>> {
        let mut values = self.headers().all("idempotency-key");
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(Some(text)), None) => IdempotencyKey::parse(text)
                .map(Some)
                .map_err(|error| Error::malformed("Idempotency-Key", error)),
            _ => Err(Error::malformed("Idempotency-Key", "is not one text")),
        }
    }

    /// The header `Idempotency-Key` as the caller's own; a request without one gets a key that no
    /// other request has, and with it its own repetition after a lost acknowledgement finds itself.
    pub fn caller_key(&self) -> Result<CallerKey> {
        let caller = match (self.caller_by_query()?, &self.authentication.service) {
            (Caller::User(user), _) => format!("user:{user}"),
            (Caller::Service, Some(name)) => format!("service:{name}"),
            (Caller::Service, None) => "service".into(),
        };
        let key = match self.idempotency_key()? {
            Some(key) => key,
            None => IdempotencyKey::generate(),
        };
        Ok(CallerKey { caller, key })
    }

    /// The body as JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        parse_json(&self.body(SMALL_BODY).await?)
    }

    /// The body as JSON, or the default where the request has no body.
    pub async fn optional_json<T: DeserializeOwned + Default>(self) -> Result<T> {
        let read = async |request: Request| request.optional_json_body(SMALL_BODY).await;
        let body = self.counted(SMALL_BODY, read).await?;
        if body.is_empty() {
            return Ok(T::default());
        }
        parse_json(&body)
    }

    /// The body as JSON, within the limit for a body that holds a message's content.
    pub async fn content_json<T: DeserializeOwned>(self) -> Result<T> {
        let limit = content_body_limit().await?;
        parse_json(&self.body(limit).await?)
    }

    /// The body, of any media type and at most `limit` bytes, not counted against the rate.
    pub async fn raw_body(self, limit: usize) -> Result<Vec<u8>> {
        self.request.raw_body(limit).await
    }

    async fn body(self, limit: usize) -> Result<Vec<u8>> {
        let read = async |request: Request| request.json_body(limit).await;
        self.counted(limit, read).await
    }

    /// Reads the body, and counts the request by its length: before it is read, if the client
    /// declared it.
    async fn counted(
        self,
        limit: usize,
        read: impl AsyncFnOnce(Request) -> Result<Vec<u8>>,
    ) -> Result<Vec<u8>> {
        let declared = self.request.declared_length();
        let declared = declared.and_then(|length| usize::try_from(length).ok());
        if let Some(length) = declared.filter(|length| *length <= limit) {
            self.rate.charge(requests_of(length)).await?;
        }
        let body = read(self.request).await?;
        if declared.is_none() {
            self.rate.charge(requests_of(body.len())).await?;
        }
        Ok(body)
    }
}

/// Parses a message's text within the operator's limit; 422 otherwise.
pub async fn parse_content(text: String) -> Result<Content> {
    Content::parse(text, max_content_bytes().await?)
        .map_err(|error: InvalidText| Error::invalid("content", error))
}

/// The longest body or frame that holds a message's content, in bytes.
pub async fn content_body_limit() -> Result<usize> {
    Ok(body_limit(max_content_bytes().await?))
}

/// The operator's limit on a message's content, in bytes.
async fn max_content_bytes() -> Result<usize> {
    Ok(usize::try_from(config::number("max_content_bytes").await?).unwrap_or(usize::MAX))
}
