//! Cross-origin resource sharing (WHATWG Fetch, section 3.2) for the origins in `cors_origins`.

use http::{HeaderName, Method, header};
use platform::config;
use platform::http::{Request, Response};

/// The headers of ours that a page of another origin may read.
const EXPOSED: &str = "Location, Link, Retry-After, X-Request-Id, X-Cache, RateLimit-Limit, \
    RateLimit-Remaining, RateLimit-Reset";
/// The headers that it may send.
const ALLOWED: &str = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id";
/// For how many seconds a browser may remember a preflight.
const MAX_AGE: &str = "600";

/// What of a request decides about the headers.
pub struct CrossOrigin {
    origin: Option<String>,
    is_preflight: bool,
}

impl CrossOrigin {
    /// Reads it from a request.
    pub fn of(request: &Request) -> Self {
        let header = |name: HeaderName| request.header(name.as_str());
        let asks = header(header::ACCESS_CONTROL_REQUEST_METHOD).is_some();
        Self {
            origin: header(header::ORIGIN).map(str::to_owned),
            is_preflight: asks && request.method() == Method::OPTIONS,
        }
    }

    /// Lets a page of an allowed origin read the response, or send what it asked for in a
    /// preflight. Other origins get none of these headers.
    pub async fn add_headers(&self, response: Response) -> Response {
        let origins = config::text("cors_origins").await.unwrap_or_else(|error| {
            log::error!("no cross-origin headers: {error}");
            "".into()
        });
        if origins.trim().is_empty() {
            return response;
        }
        let response = response.header(header::VARY, "Origin");
        let Some(decision) = self
            .origin
            .as_deref()
            .and_then(|origin| decide(&origins, origin))
        else {
            return response;
        };
        let response = response.header(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        let response = if self.is_preflight {
            preflight(response)
        } else {
            response
        };
        match decision {
            Decision::Listed(origin) => response
                .header(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin)
                .header(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
            Decision::AnyOrigin => response.header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        }
    }
}

fn preflight(response: Response) -> Response {
    let allow = response.get(&header::ALLOW).cloned();
    let response = match allow {
        Some(allow) => response.header(header::ACCESS_CONTROL_ALLOW_METHODS, allow),
        None => response,
    };
    response
        .header(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED)
        .header(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE)
}

#[derive(Debug, PartialEq, Eq)]
enum Decision<'a> {
    Listed(&'a str),
    /// Without credentials.
    AnyOrigin,
}

fn decide<'a>(origins: &str, origin: &'a str) -> Option<Decision<'a>> {
    let mut listed = origins.split(',').map(str::trim);
    if listed
        .clone()
        .any(|listed| listed == origin && listed != "*")
    {
        return Some(Decision::Listed(origin));
    }
    listed
        .any(|listed| listed == "*")
        .then_some(Decision::AnyOrigin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_exactly() {
        let origins = "https://a.example, https://b.example:8443";
        let listed = |origin| decide(origins, origin).is_some();
        assert!(listed("https://a.example"));
        assert!(listed("https://b.example:8443"));
        for origin in [
            "http://a.example",
            "https://b.example",
            "https://a.example.evil",
            "https://A.example",
            "null",
            "",
            "*",
        ] {
            assert!(!listed(origin), "{origin}");
        }
    }

    #[test]
    fn a_star_allows_any_origin_without_credentials() {
        assert_eq!(decide("*", "https://a.example"), Some(Decision::AnyOrigin));
        let both = "*, https://a.example";
        assert_eq!(
            decide(both, "https://a.example"),
            Some(Decision::Listed("https://a.example"))
        );
    }
}
