//! What every HTTP component is made of: a constant table of routes, and a request's way through
//! it: route, identity, rate, action.
//!
//! # Layout
//!
//! - [`Route`], [`routes!`](crate::routes), [`http_component!`](crate::http_component): a component.
//! - [`Access`]: who may call a route.
//! - [`RequestContext`]: a request with the identity behind it.
//! - `cors`: what pages of other origins may do.
//! - [`Rate`]: a request counted against its caller's rate, as several if it costs more than most.

mod access;
mod cors;
mod rate;
mod request_context;
mod routes;

use std::cell::OnceCell;

use futures::future::LocalBoxFuture;
use http::{HeaderName, StatusCode, header};
use platform::http::{DEADLINE, Request, Response, respond, within_deadline};

pub use access::Access;
pub use http::Method;
pub use rate::Rate;
pub use request_context::{RequestContext, content_body_limit, parse_content, requests_of};
pub use routes::{Action, Allow, Matched, Route, find};

pub use crate::routes;

use crate::auth::{
    self, Authentication, Claim, Cookies, Identity, METRICS_SCOPE, RECORDS_SCOPE, SERVICE_SCOPE,
};
use crate::messages::Posted;
use crate::{Error, Result};
use cors::CrossOrigin;

/// Responds to a request by a component's routes.
pub async fn handle(routes: &'static [Route], request: Request) -> Response {
    let is_head = request.method() == Method::HEAD;
    let cross_origin = CrossOrigin::of(&request);
    let rate = OnceCell::new();
    let response = respond(dispatch(routes, request, &rate).await);
    let response = rate::add_headers(response, rate.get().and_then(Rate::quota));
    let response = cross_origin.add_headers(response).await;
    let response = if is_head {
        response.without_body()
    } else {
        response
    };
    response
        .default_header(header::CACHE_CONTROL, "no-store")
        .default_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
}

async fn dispatch(
    routes: &'static [Route],
    request: Request,
    rate: &OnceCell<Rate>,
) -> Result<Response> {
    match find(routes, request.method(), request.path()) {
        Matched::Route(route, parameters) => {
            let request = request.with_parameters(parameters);
            within_deadline(route.deadline, call(route, request, rate)).await
        }
        Matched::Options(allow) => Ok(Response::no_content().header(header::ALLOW, allow)),
        Matched::OtherMethod(allow, public) => {
            // Only to a caller who may call the route at all.
            if !public {
                within_deadline(DEADLINE, must_be_identified(&request)).await?;
            }
            Err(Error::MethodNotAllowed(allow))
        }
        Matched::Nothing => Err(Error::NotFound("There is no such route.")),
    }
}

/// 401 for a request without a valid identity.
async fn must_be_identified(request: &Request) -> Result<Response> {
    let claim = auth::identify(request, Cookies::Accepted).await?;
    claim.check().await.map(|()| Response::no_content())
}

async fn call(route: &'static Route, request: Request, rate: &OnceCell<Rate>) -> Result<Response> {
    if matches!(route.access, Access::Public | Access::Proxy) {
        return (route.action)(RequestContext::new(request, Authentication::none())).await;
    }
    request.must_not_repeat_parameters()?;
    let claim = authenticate(route, &request).await?;
    let is_read = request.method().is_safe();
    let context = RequestContext::new(request, claim.authentication.clone());
    let found = Rate::of(&context).await?;
    let rate = rate.get_or_init(|| found);
    let action: LocalBoxFuture<'static, _> = (route.action)(context.with_rate(rate.clone()));
    if is_read {
        rate.read(claim.check(), action).await
    } else {
        rate.write(claim.check(), action).await
    }
}

/// What the request claims to prove, if that is enough for its route.
async fn authenticate(route: &Route, request: &Request) -> Result<Claim> {
    let ticket = request.query_text("ticket").filter(|_| route.takes_ticket);
    let claim = match ticket {
        Some(ticket) => auth::redeem_ticket(&ticket).await?.into(),
        None => auth::identify(request, route.cookies).await?,
    };
    match missing_scope(route.access, &claim.authentication) {
        Some(scope) => Err(Error::InsufficientScope(scope)),
        None => Ok(claim),
    }
}

/// The scope that the caller lacks for a route of this access.
fn missing_scope(access: Access, of: &Authentication) -> Option<&'static str> {
    let (is_user, is_service) = match of.identity {
        // Who calls is known only with the rest of the request.
        Identity::Open => return None,
        Identity::Service => (false, true),
        Identity::User(_) => (true, false),
        Identity::Scoped => (false, false),
    };
    let (may, scope) = match access {
        Access::Records => (of.scopes.records, RECORDS_SCOPE),
        Access::ParticipantOrRecords => (is_user || is_service || of.scopes.records, RECORDS_SCOPE),
        Access::Metrics => (is_service || of.scopes.metrics, METRICS_SCOPE),
        Access::Service => (is_service, SERVICE_SCOPE),
        _ => (is_user || is_service, SERVICE_SCOPE),
    };
    (!may).then_some(scope)
}

/// The header that says whether a list came from the cache.
pub const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// 201 with the JSON of what was created and its address; 200 if an earlier request with the same key
/// had created it.
#[must_use]
pub fn created(is_new: bool, json: String, location: String) -> Response {
    if is_new {
        Response::raw_json(StatusCode::CREATED, json).header(header::LOCATION, location)
    } else {
        Response::raw_json(StatusCode::OK, json)
    }
}

/// The response to a post.
#[must_use]
pub fn posted(message: Posted) -> Response {
    let location = format!("/api/v1/messages/{}", message.id);
    created(message.is_new, message.json, location)
}

/// Makes a library crate an HTTP component with these routes. Compiled for another target than
/// WebAssembly, as tests are, it has the routes only.
#[macro_export]
macro_rules! http_component {
    ($routes:path) => {
        #[cfg(target_family = "wasm")]
        struct Component;

        #[cfg(target_family = "wasm")]
        ::spin_sdk::wasip3::http::service::export!(Component);

        #[cfg(target_family = "wasm")]
        impl ::spin_sdk::wasip3::exports::http::handler::Guest for Component {
            async fn handle(
                request: ::spin_sdk::wasip3::http::types::Request,
            ) -> ::std::result::Result<
                ::spin_sdk::wasip3::http::types::Response,
                ::spin_sdk::wasip3::http::types::ErrorCode,
            > {
                ::platform::http::serve(request, |request| $crate::api::handle($routes, request))
                    .await
            }
        }
    };
}
