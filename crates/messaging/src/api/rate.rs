//! A request counted against its caller's rate.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};
use futures::join;
use http::HeaderName;
use platform::http::Response;

use super::RequestContext;
use crate::auth::Authentication;
use crate::ids::UserId;
use crate::rate_limit::{self, Quota, seconds};
use crate::{Error, Result};

/// The rate of a request's caller, and what this request has taken from it.
#[derive(Clone, Default)]
pub struct Rate {
    /// Requests per minute and the key, if the operator limits it.
    limit: Option<(u64, Rc<str>)>,
    taken: Rc<Cell<u64>>,
    quota: Rc<Cell<Option<Quota>>>,
}

impl Rate {
    /// The rate of the caller of a request.
    pub(super) async fn of(context: &RequestContext) -> Result<Self> {
        let named = context.caller().ok().and_then(|caller| caller.user());
        let client = context.host_header("spin-client-addr");
        Self::of_caller(context.authentication(), named, client).await
    }

    /// The rate of a caller; in open mode of the user that the request names, else of the client's
    /// address.
    pub async fn of_caller(
        authentication: &Authentication,
        named: Option<UserId>,
        client: Option<&str>,
    ) -> Result<Self> {
        let Some(limit) = rate_limit::limit().await? else {
            return Ok(Self::default());
        };
        let key = rate_limit::key(authentication, named, client);
        Ok(Self {
            limit: Some((limit, key.into())),
            ..Self::default()
        })
    }

    /// The caller's rate of something that has a limit of its own, in requests per minute; 0 is none.
    pub fn of_its_own(context: &RequestContext, limit: u64, what: &str) -> Self {
        let named = context.caller().ok().and_then(|caller| caller.user());
        let client = context.host_header("spin-client-addr");
        let key = rate_limit::key(context.authentication(), named, client);
        Self {
            limit: (limit > 0).then(|| (limit, format!("{key}:{what}").into())),
            ..Self::default()
        }
    }

    /// Where the caller stands after the request.
    pub(super) fn quota(&self) -> Option<Quota> {
        self.quota.get()
    }

    /// Counts the request as so many more; 429 if that is too many. No request counts as more than
    /// the whole limit.
    pub async fn charge(&self, requests: u64) -> Result<()> {
        let Some((limit, key)) = &self.limit else {
            return Ok(());
        };
        let taken = self.taken.get();
        let requests = requests.min(limit.saturating_sub(taken));
        if requests == 0 {
            return Ok(());
        }
        let quota = rate_limit::take(*limit, key, requests).await;
        self.quota.set(Some(quota));
        let Some(wait) = quota.retry_after else {
            self.taken.set(taken + requests);
            return Ok(());
        };
        // The next attempt takes again what this one has taken.
        let wait = wait + rate_limit::price(*limit, taken);
        Err(Error::TooManyRequests(seconds(wait).max(1)))
    }

    /// Runs a read while the rate is looked up and the caller's proof is checked, in the same round
    /// trip; a refusal most often comes before the read gets further than Redis.
    pub(super) async fn read(
        &self,
        proof: impl Future<Output = Result<()>>,
        action: impl Future<Output = Result<Response>>,
    ) -> Result<Response> {
        match select(pin!(self.admit(proof)), pin!(action)).await {
            Either::Left((admitted, action)) => {
                admitted?;
                action.await
            }
            Either::Right((response, admitted)) => admitted.await.and(response),
        }
    }

    /// Runs a write after the rate was looked up and the caller's proof was checked: what is refused
    /// has no effect.
    pub(super) async fn write(
        &self,
        proof: impl Future<Output = Result<()>>,
        action: impl Future<Output = Result<Response>>,
    ) -> Result<Response> {
        self.admit(proof).await?;
        action.await
    }

    async fn admit(&self, proof: impl Future<Output = Result<()>>) -> Result<()> {
        let (proved, taken) = join!(proof, self.charge(1));
        proved.and(taken)
    }
}

/// Adds what the client needs to stay within its rate (draft-ietf-httpapi-ratelimit-headers-07).
pub fn add_headers(response: Response, quota: Option<Quota>) -> Response {
    let Some(quota) = quota else {
        return response;
    };
    response
        .header(HeaderName::from_static("ratelimit-limit"), quota.limit)
        .header(
            HeaderName::from_static("ratelimit-remaining"),
            quota.remaining,
        )
        .header(
            HeaderName::from_static("ratelimit-reset"),
            seconds(quota.reset),
        )
}
