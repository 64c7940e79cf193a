//! From a request to a [`Call`], and from a result to an answer.

mod call;
mod problem;
mod reply;
mod request_id;

use std::future::Future;

use ::http::HeaderMap;
use spin_sdk::http::{BoxBody, Request};

pub use call::{Call, max_content_bytes};
pub use reply::Reply;

use crate::auth::access::{self, Gate};
use crate::auth::{self, Identity, Proof};
use crate::{Error, Result, log_line};

/// Whether a request needs an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody may call, and the handler learns nothing of who does.
    Public,
    /// 401 without a valid identity, before anything else is looked at.
    Identified,
}

/// Answers a request: identity, then the route's action, then the one mapping
/// of errors. Every answer carries `X-Request-Id` and `Content-Length`.
pub async fn serve<F>(
    request: Request,
    _access: Access,
    route: impl FnOnce(Call) -> F,
) -> ::http::Response<BoxBody>
where
    F: Future<Output = Result<Reply>>,
{
    let id = request_id::of(request.headers());
    let answer = async {
        let proof = identify(&request).await?;
        route(Call::new(request, proof)).await
    };
    let reply = answer.await.unwrap_or_else(|error| {
        if let Some(cause) = problem::cause(&error) {
            log_line!("ERROR", "request {id}: {cause}");
        }
        problem::reply(&error)
    });
    reply.into_response(&id)
}

/// What the request proves, if that is enough for its route and method.
async fn identify(request: &Request) -> Result<Proof> {
    let route = route_of(request.headers());
    let gate = access::gate(route, request.method().as_str())
        .ok_or_else(|| Error::internal(format!("{route} is not in the access table")))?;
    if gate == Gate::Anybody {
        return Ok(Proof::open());
    }
    let proof = auth::identify(request.headers()).await?;
    match proof.identity {
        Identity::User(_) if gate == Gate::Service => Err(Error::ServiceOnly),
        _ => Ok(proof),
    }
}

/// The route of spin.toml that matched.
fn route_of(headers: &HeaderMap) -> &str {
    let route = headers.get("spin-matched-route");
    route
        .and_then(|route| route.to_str().ok())
        .unwrap_or_default()
}

/// Dispatches a call by its matched route and method to one action each;
/// another method is 405 with `Allow`.
///
/// ```ignore
/// routes!(call, {
///     "/api/v1/things" => { GET: list::run, POST: create::run },
/// })
/// ```
#[macro_export]
macro_rules! routes {
    ($call:expr, { $($route:literal => { $($method:ident : $action:path),+ $(,)? }),+ $(,)? }) => {{
        let call: $crate::http::Call = $call;
        match call.route() {
            $($route => match call.method().as_str() {
                $(stringify!($method) => $action(call).await,)+
                _ => Err($crate::Error::MethodNotAllowed($crate::routes!(@allow $($method)+))),
            },)+
            _ => Err($crate::Error::NotFound("There is no such route.")),
        }
    }};
    (@allow $first:ident $($rest:ident)*) => {
        concat!(stringify!($first) $(, ", ", stringify!($rest))*)
    };
}
