//! The routes of a component: one constant table, from which follow what a request has to prove,
//! 405 with `Allow`, `HEAD`, `OPTIONS`, and the document of who may call what.

use std::time::Duration;

use futures::future::LocalBoxFuture;
use http::Method;
use platform::http::{DEADLINE, PathParameters, Response, match_path};

use super::{Access, RequestContext};
use crate::Result;
use crate::auth::Cookies;

/// What a route does: one function from a request to a response.
pub type Action = fn(RequestContext) -> LocalBoxFuture<'static, Result<Response>>;

/// How long a route may take that waits for something to happen elsewhere.
const PATIENT_DEADLINE: Duration = Duration::from_secs(75);

/// A method and path, who may call it, and what it does.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path as `spin.toml` has it.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Whether a one-time ticket does instead of a token.
    pub takes_ticket: bool,
    /// Whether a session's cookie does instead of a token.
    pub cookies: Cookies,
    /// How long it may take until its response begins.
    pub deadline: Duration,
    /// What it does.
    pub action: Action,
}

impl Route {
    /// A route.
    #[must_use]
    pub const fn new(method: Method, path: &'static str, access: Access, action: Action) -> Self {
        Self {
            method,
            path,
            access,
            takes_ticket: false,
            cookies: Cookies::Accepted,
            deadline: DEADLINE,
            action,
        }
    }

    /// The same route, whose response may wait for something to happen elsewhere.
    #[must_use]
    pub const fn patient(mut self) -> Self {
        self.deadline = PATIENT_DEADLINE;
        self
    }

    /// The same route, only for callers with a token.
    #[must_use]
    pub const fn by_token(mut self) -> Self {
        self.cookies = Cookies::Ignored;
        self
    }

    /// The same route, also for callers with a one-time ticket.
    #[must_use]
    pub const fn with_ticket(mut self) -> Self {
        self.takes_ticket = true;
        self
    }
}

/// Builds a component's table of routes. Each entry has a method, a path, who may call it, and the
/// function that handles it:
///
/// ```
/// use messaging::Result;
/// use messaging::api::{RequestContext, Route, routes};
/// use platform::http::Response;
///
/// async fn get(_: RequestContext) -> Result<Response> {
///     Ok(Response::no_content())
/// }
///
/// const ROUTES: &[Route] = routes! {
///     GET "/api/v1/things/:id", Participant => get;
/// };
/// assert_eq!(ROUTES[0].path, "/api/v1/things/:id");
/// ```
#[macro_export]
macro_rules! routes {
    ($($method:ident $path:literal, $access:ident $(or $ticket:ident)? $(but $limit:ident)?
        => $action:path;)+) => {
        &[$(
            $crate::api::Route::new(
                $crate::api::Method::$method,
                $path,
                $crate::api::Access::$access,
                |context| ::std::boxed::Box::pin($action(context)),
            )
            $(.$ticket())?
            $(.$limit())?
        ),+]
    };
}

/// What a table of routes says of a request.
#[derive(Debug)]
pub enum Matched<'a> {
    /// The path and the method are of this route. `HEAD` is answered wherever `GET` is.
    Route(&'a Route, PathParameters),
    /// The path is known, and the method is `OPTIONS`.
    Options(Allow),
    /// The path is known, and not with this method; whether anyone may call the path at all.
    OtherMethod(Allow, bool),
    /// The path is not in the table.
    Nothing,
}

/// The methods of a path, as the header `Allow` lists them.
pub type Allow = String;

/// Finds the route of a request.
#[must_use]
pub fn find<'a>(routes: &'a [Route], method: &Method, path: &str) -> Matched<'a> {
    let wanted = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let mut known = Vec::new();
    // As in the host, a path that is written out goes before one with parameters.
    let literal = routes.iter().any(|route| route.path == path);
    for route in routes.iter().filter(|route| !literal || route.path == path) {
        let Some(parameters) = match_path(route.path, path) else {
            continue;
        };
        if route.method == wanted {
            return Matched::Route(route, parameters);
        }
        known.push(route);
    }
    if known.is_empty() {
        Matched::Nothing
    } else if method == Method::OPTIONS {
        Matched::Options(allow(&known))
    } else {
        let public = known.iter().all(|route| route.access == Access::Public);
        Matched::OtherMethod(allow(&known), public)
    }
}

fn allow(routes: &[&Route]) -> Allow {
    let mut methods: Vec<&str> = Vec::new();
    for route in routes {
        methods.push(route.method.as_str());
        if route.method == Method::GET {
            methods.push("HEAD");
        }
    }
    methods.push("OPTIONS");
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn action(_: RequestContext) -> Result<Response> {
        Ok(Response::no_content())
    }

    const ROUTES: &[Route] = routes! {
        GET "/things", Identified => action;
        POST "/things", Service => action;
        GET "/things/:id/events", Participant or with_ticket => action;
        DELETE "/things/:id", Identified => action;
        POST "/things/sweep", Service but by_token => action;
        GET "/live", Public => action;
    };

    #[test]
    fn a_route_is_found_by_method_and_path() {
        let Matched::Route(route, parameters) = find(ROUTES, &Method::GET, "/things/7/events")
        else {
            panic!("not found");
        };
        assert_eq!(
            (parameters.get("id"), route.takes_ticket),
            (Some("7"), true)
        );
        assert!(matches!(
            find(ROUTES, &Method::GET, "/other"),
            Matched::Nothing
        ));
    }

    #[test]
    fn a_path_that_is_written_out_goes_before_one_with_parameters() {
        let found = find(ROUTES, &Method::POST, "/things/sweep");
        assert!(matches!(found, Matched::Route(route, _) if route.cookies == Cookies::Ignored));
        let found = find(ROUTES, &Method::DELETE, "/things/sweep");
        assert!(matches!(found, Matched::OtherMethod(allow, _) if allow == "POST, OPTIONS"));
    }

    #[test]
    fn head_is_answered_wherever_get_is() {
        let found = find(ROUTES, &Method::HEAD, "/things");
        assert!(matches!(found, Matched::Route(route, _) if route.method == Method::GET));
    }

    #[test]
    fn another_method_is_refused_with_those_that_there_are() {
        let allowed = |method, path| match find(ROUTES, &method, path) {
            Matched::OtherMethod(allow, public) => (allow, public),
            other => panic!("{other:?}"),
        };
        let things = ("GET, HEAD, POST, OPTIONS".to_owned(), false);
        assert_eq!(allowed(Method::PUT, "/things"), things);
        assert!(allowed(Method::POST, "/live").1);
    }

    #[test]
    fn options_are_the_methods_of_a_path() {
        let found = find(ROUTES, &Method::OPTIONS, "/live");
        assert!(matches!(found, Matched::Options(allow) if allow == "GET, HEAD, OPTIONS"));
    }
}
