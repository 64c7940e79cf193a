//! A request counted against its caller's rate.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;

use futures::future::{Either, select};
use http::HeaderName;
use platform::http::Response;

use super::RequestContext;
use crate::rate_limit::{self, Quota, seconds};
use crate::{Error, Result};

/// A caller's rate, if the operator limits it.
pub struct Rate(Option<(u64, String)>);

impl Rate {
    /// The rate of the caller of a request.
    pub async fn of(context: &RequestContext) -> Result<Self> {
        let Some(limit) = rate_limit::limit().await? else {
            return Ok(Self(None));
        };
        let named = context.caller().ok().and_then(|caller| caller.user());
        let client = context.host_header("spin-client-addr");
        Ok(Self(Some((
            limit,
            rate_limit::key(context.authentication(), named, client),
        ))))
    }

    /// Takes one request; 429 if that is one too many.
    async fn take(&self, quota: &Cell<Option<Quota>>) -> Result<()> {
        let Some((limit, key)) = &self.0 else {
            return Ok(());
        };
        let taken = rate_limit::take(*limit, key).await;
        quota.set(taken);
        match taken.and_then(|quota| quota.retry_after) {
            Some(wait) => Err(Error::TooManyRequests(seconds(wait).max(1))),
            None => Ok(()),
        }
    }

    /// Runs a read while the rate is looked up, in the same round trip; a refusal most often comes
    /// before the read gets further than Redis.
    pub async fn read(
        &self,
        quota: &Cell<Option<Quota>>,
        action: impl Future<Output = Result<Response>>,
    ) -> Result<Response> {
        match select(pin!(self.take(quota)), pin!(action)).await {
            Either::Left((taken, action)) => {
                taken?;
                action.await
            }
            Either::Right((response, taken)) => taken.await.and(response),
        }
    }

    /// Runs a write after the rate was looked up: what is refused has no effect.
    pub async fn write(
        &self,
        quota: &Cell<Option<Quota>>,
        action: impl Future<Output = Result<Response>>,
    ) -> Result<Response> {
        self.take(quota).await?;
        action.await
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
