//! From a request to a [`Call`], and from a result to an answer.

mod call;
mod headers;
mod incoming;
mod outgoing;
mod problem;
mod rate;
mod reply;
mod request_id;

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use spin_sdk::wasip3::http::types::{self as wasi, ErrorCode};

pub use call::{Call, max_content_bytes};
pub use headers::Headers;
pub use reply::Reply;

use crate::auth::access::{self, Gate};
use crate::auth::{self, Identity, Proof};
use crate::rate_limit::Quota;
use crate::{Error, Result, clock, log_line};
use incoming::Request;
use rate::Rate;

/// How long a request may take until its answer begins, whatever waits it adds
/// up: longer than a store's own deadlines, shorter than clients wait.
const DEADLINE: Duration = Duration::from_secs(10);

/// Answers a request: identity, rate, then the route's action, then the one
/// mapping of errors. Every answer carries `X-Request-Id` and `Content-Length`.
pub async fn serve<F>(
    request: wasi::Request,
    route: impl FnOnce(Call) -> F,
) -> std::result::Result<wasi::Response, ErrorCode>
where
    F: Future<Output = Result<Reply>>,
{
    let request = incoming::receive(request)?;
    let id = request_id::of(&request.headers);
    let quota = Cell::new(None);
    let answer = clock::ticking(clock::timeout(DEADLINE, answer(request, route, &quota))).await;
    let answer = answer.unwrap_or_else(|clock::Elapsed| Err(Error::Late));
    let reply = answer.unwrap_or_else(|error| {
        if let Some(cause) = problem::cause(&error) {
            log_line!("ERROR", "request {id}: {cause}");
        }
        problem::reply(&error)
    });
    let reply = rate::tell(reply, quota.get());
    reply.into_response(&id)
}

async fn answer<F>(
    request: Request,
    route: impl FnOnce(Call) -> F,
    quota: &Cell<Option<Quota>>,
) -> Result<Reply>
where
    F: Future<Output = Result<Reply>>,
{
    // The actions' state is large, and futures around it would move it about.
    let route = |call| Box::pin(route(call));
    let Some(proof) = identify(&request).await? else {
        return route(Call::new(request, Proof::open())).await;
    };
    let is_read = request.method.is_safe();
    let call = Call::new(request, proof);
    let rate = Rate::of(&call).await?;
    if is_read {
        rate.read(quota, route(call)).await
    } else {
        rate.write(quota, route(call)).await
    }
}

/// What the request proves, if that is enough for its route and method;
/// nothing if it need not prove anything.
async fn identify(request: &Request) -> Result<Option<Proof>> {
    let route = request
        .headers
        .of_host("spin-matched-route")
        .unwrap_or_default();
    let gate = access::gate(route, request.method.as_str())
        .ok_or_else(|| Error::internal(format!("{route} is not in the access table")))?;
    let takes_ticket = match gate {
        Gate::Anybody => return Ok(None),
        Gate::Identified { ticket } => ticket,
        Gate::Service => false,
    };
    let in_query = || call::query_value(&request.uri, "ticket");
    let ticket = takes_ticket.then(in_query).flatten();
    let proof = match ticket {
        Some(ticket) => auth::redeem_ticket(&ticket).await?,
        None => auth::identify(&request.headers).await?,
    };
    match proof.identity {
        Identity::User(_) if gate == Gate::Service => Err(Error::ServiceOnly),
        _ => Ok(Some(proof)),
    }
}

/// Makes the component answer HTTP requests by `route`, a function from a
/// [`Call`] to a [`Result`] with a [`Reply`].
#[macro_export]
macro_rules! http_component {
    ($route:path) => {
        struct Component;

        ::spin_sdk::wasip3::http::service::export!(Component);

        impl ::spin_sdk::wasip3::exports::http::handler::Guest for Component {
            async fn handle(
                request: ::spin_sdk::wasip3::http::types::Request,
            ) -> ::std::result::Result<
                ::spin_sdk::wasip3::http::types::Response,
                ::spin_sdk::wasip3::http::types::ErrorCode,
            > {
                $crate::http::serve(request, $route).await
            }
        }
    };
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
