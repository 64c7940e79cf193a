//! Whether a request with a cookie comes from a page of this service (cross-site request forgery).
//!
//! `SameSite=Strict` keeps the cookie from other sites; this refuses other origins of the same site, and
//! what a browser without `SameSite` sends.

use http::header;
use platform::config;
use platform::http::Request;

use super::AuthMode;
use super::open::is_loopback_authority;
use crate::{Error, Result};

/// 403 for a state-changing request that may come from a page of another origin, unless that is one of
/// `cors_origins`.
pub async fn must_be_same_origin(request: &Request, mode: AuthMode) -> Result<()> {
    if request.method().is_safe() {
        return Ok(());
    }
    must_come_from_here(request, mode).await
}

/// 403 for a request of any method that may come from a page of another origin, unless that is one of
/// `cors_origins`.
pub async fn must_come_from_here(request: &Request, mode: AuthMode) -> Result<()> {
    let listed = config::text("cors_origins").await?;
    let authority = request.authority();
    let sender = Sender {
        site: only(request, "sec-fetch-site"),
        origin: only(request, header::ORIGIN.as_str()),
    };
    if sender.is_trusted(authority.as_deref(), mode, &listed) {
        return Ok(());
    }
    Err(Error::Forbidden(
        "A request with a session's cookie must come from a page of this service or of cors_origins.",
    ))
}

/// A header's value; of several none is to be believed.
fn only<'a>(request: &'a Request, name: &str) -> Header<'a> {
    let mut values = request.headers().all(name);
    match (values.next(), values.next()) {
        (None, _) => Header::Missing,
        (Some(Some(value)), None) => Header::Is(value),
        _ => Header::Unclear,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header<'a> {
    Missing,
    Is(&'a str),
    Unclear,
}

/// What the browser says of the page that sends.
struct Sender<'a> {
    /// Set by browsers only, and not by pages.
    site: Header<'a>,
    origin: Header<'a>,
}

impl Sender<'_> {
    fn is_trusted(&self, authority: Option<&str>, mode: AuthMode, listed: &str) -> bool {
        let is_listed = match self.origin {
            Header::Is(origin) => listed
                .split(',')
                .any(|listed| listed.trim() == origin && origin != "*"),
            _ => false,
        };
        match (self.site, self.origin) {
            (Header::Is("same-origin"), _) => true,
            (Header::Missing, Header::Is(origin)) => {
                is_listed || authority.is_some_and(|own| is_own(origin, own, mode))
            }
            _ => is_listed,
        }
    }
}

/// Whether an origin is the address that the client called. A `Secure` cookie came by TLS, which may
/// have ended at a proxy.
fn is_own(origin: &str, authority: &str, mode: AuthMode) -> bool {
    let own = |scheme: &str, port: &str| {
        let host = origin.strip_prefix(scheme)?;
        let authority = authority.strip_suffix(port).unwrap_or(authority);
        Some(host.eq_ignore_ascii_case(authority))
    };
    let plain = mode == AuthMode::Open || is_loopback_authority(authority);
    own("https://", ":443") == Some(true) || (plain && own("http://", ":80") == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "chat.example";

    fn trusted(site: Option<&str>, origin: Option<&str>, listed: &str) -> bool {
        fn header(value: Option<&str>) -> Header<'_> {
            value.map_or(Header::Missing, Header::Is)
        }
        let sender = Sender {
            site: header(site),
            origin: header(origin),
        };
        sender.is_trusted(Some(OWN), AuthMode::Jwt, listed)
    }

    #[test]
    fn a_page_of_this_service_is_trusted() {
        let own = Some("https://chat.example");
        assert!(trusted(Some("same-origin"), own, ""));
        assert!(trusted(Some("same-origin"), None, ""));
        assert!(trusted(None, own, ""));
    }

    #[test]
    fn a_page_of_another_origin_is_not() {
        for origin in [
            "https://evil.example",
            "http://chat.example",
            "https://chat.example.evil",
            "https://chat.example:8443",
            "https://x.chat.example",
            "null",
            "",
            "*",
        ] {
            assert!(!trusted(None, Some(origin), "*"), "{origin}");
        }
        for site in ["cross-site", "same-site", "none", "", "Same-Origin"] {
            assert!(
                !trusted(Some(site), Some("https://chat.example"), ""),
                "{site}"
            );
        }
        assert!(!trusted(None, None, "https://app.example"));
    }

    #[test]
    fn a_listed_origin_is_trusted_and_a_star_is_none() {
        let listed = "https://app.example, https://b.example";
        assert!(trusted(
            Some("cross-site"),
            Some("https://b.example"),
            listed
        ));
        assert!(trusted(None, Some("https://app.example"), listed));
        assert!(!trusted(
            Some("cross-site"),
            Some("https://c.example"),
            listed
        ));
        assert!(!trusted(Some("cross-site"), Some("https://c.example"), "*"));
    }

    #[test]
    fn several_values_are_none() {
        let sender = Sender {
            site: Header::Unclear,
            origin: Header::Is("https://chat.example"),
        };
        assert!(!sender.is_trusted(Some(OWN), AuthMode::Jwt, ""));
    }

    #[test]
    fn the_default_port_need_not_be_named() {
        assert!(is_own("https://a.example", "a.example:443", AuthMode::Jwt));
        assert!(is_own(
            "http://localhost:3001",
            "localhost:3001",
            AuthMode::Jwt
        ));
        assert!(is_own("http://127.0.0.1", "127.0.0.1:80", AuthMode::Open));
        assert!(!is_own("http://a.example", "a.example", AuthMode::Jwt));
    }
}
