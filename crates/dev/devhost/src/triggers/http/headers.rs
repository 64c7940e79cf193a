//! The request headers that Spin adds for the component.
//!
//! They are appended, as in Spin: a header of the same name that the client sent
//! stays, and comes first. A component must take the last value.

use std::{net::SocketAddr, str};

use anyhow::{Context, Result, ensure};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri,
    header::{CONNECTION, HOST},
    uri::{Authority, Scheme},
};

use super::routes::Match;

/// The domain by which components call each other in Spin.
const SERVICE_DOMAIN: &str = "spin.internal";

/// Removes the headers that concern only the connection.
pub fn strip(headers: &mut HeaderMap) {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(is_service) {
        headers.remove(HOST);
    }
    headers.remove(CONNECTION);
}

fn is_service(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.split_once('.')
        .is_some_and(|(_, domain)| domain == SERVICE_DOMAIN)
}

/// Makes the URI absolute; the error names the reason why the request has no
/// unambiguous host.
pub fn make_absolute<B>(request: &mut Request<B>) -> Result<()> {
    let from_header = request.headers().get(HOST).map(authority).transpose()?;
    let mut parts = request.uri().clone().into_parts();
    if let (Some(header), Some(uri)) = (&from_header, &parts.authority) {
        ensure!(
            header == uri,
            "authority in 'Host' header does not match authority in URI"
        );
    }
    parts.authority = from_header.or(parts.authority);
    ensure!(
        parts.authority.is_some(),
        "no 'Host' header present in request"
    );
    parts.scheme = Some(Scheme::HTTP);
    *request.uri_mut() = Uri::from_parts(parts)?;
    Ok(())
}

fn authority(host: &HeaderValue) -> Result<Authority> {
    let host = host.to_str().context("'Host' header is not valid UTF-8")?;
    host.parse()
        .context("'Host' header contains an invalid authority")
}

/// Adds Spin's headers to a request for the route `found`.
pub fn add<B, H>(
    request: &mut Request<B>,
    found: &Match<'_, '_, H>,
    client: SocketAddr,
) -> Result<()> {
    for value in request.headers().values() {
        str::from_utf8(value.as_bytes()).context("a header is not valid UTF-8")?;
    }
    let full_url = full_url(request);
    let headers = request.headers_mut();
    append(headers, "spin-path-info", &found.rest())?;
    append(headers, "spin-full-url", &full_url)?;
    for (name, value) in &found.route.headers {
        headers.append(*name, value.clone());
    }
    append(headers, "spin-client-addr", &client.to_string())?;
    for (name, value) in found.captures() {
        append(headers, &path_match_name(name), value)?;
    }
    Ok(())
}

fn path_match_name(capture: &str) -> String {
    let capture = capture.to_ascii_lowercase().replace('_', "-");
    format!("spin-path-match-{capture}")
}

fn full_url<B>(request: &Request<B>) -> String {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let path = request.uri().path_and_query();
    format!(
        "http://{}{}",
        host.unwrap_or("localhost"),
        path.map_or("/", |path| path.as_str())
    )
}

/// Appends a header. Values may hold non-ASCII bytes, as in Spin: were such a
/// value left out, a header that the client forged would be the last one.
///
/// A name that no header can have is left out, as in Spin; no client can send it.
fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<()> {
    let value = HeaderValue::from_bytes(value.as_bytes());
    let value = value.with_context(|| format!("`{name}` has no valid value"))?;
    if let Ok(name) = name.parse::<HeaderName>() {
        headers.append(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triggers::http::Routes;

    fn headers_for(route: &str, path: &str) -> HeaderMap {
        let mut request = Request::get(path)
            .header(HOST, "app.example")
            .body(())
            .unwrap();
        make_absolute(&mut request).unwrap();
        let routes = Routes::new([(route.to_owned(), ())]).unwrap();
        let path = request.uri().path().to_owned();
        let found = routes.find(&path).unwrap();
        add(&mut request, &found, ([127, 0, 0, 1], 8777).into()).unwrap();
        request.headers().clone()
    }

    #[test]
    fn a_component_receives_the_matched_route() {
        let headers = headers_for("/foo/:user_id/...", "/foo/42/bar?key=value");
        for (name, value) in [
            ("spin-path-info", "/bar"),
            ("spin-full-url", "http://app.example/foo/42/bar?key=value"),
            ("spin-matched-route", "/foo/:user_id/..."),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", "/foo/:user_id/..."),
            ("spin-component-route", "/foo/:user_id"),
            ("spin-client-addr", "127.0.0.1:8777"),
            ("spin-path-match-user-id", "42"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
    }

    #[test]
    fn a_header_of_the_client_comes_before_the_hosts_own() {
        let mut request = Request::get("/a/1")
            .header(HOST, "h")
            .header("spin-path-match-id", "9")
            .body(())
            .unwrap();
        let routes = Routes::new([("/a/:id".to_owned(), ())]).unwrap();
        let found = routes.find("/a/1").unwrap();
        add(&mut request, &found, ([127, 0, 0, 1], 1).into()).unwrap();
        let values: Vec<_> = request
            .headers()
            .get_all("spin-path-match-id")
            .iter()
            .collect();
        assert_eq!(values, ["9", "1"]);
    }

    #[test]
    fn a_forged_header_never_comes_last() {
        let mut request = Request::get("/a/\u{e9}")
            .header(HOST, "h")
            .header("spin-path-match-id", "forged")
            .body(())
            .unwrap();
        let routes = Routes::new([("/a/:id".to_owned(), ())]).unwrap();
        let found = routes.find("/a/\u{e9}").unwrap();
        add(&mut request, &found, ([127, 0, 0, 1], 1).into()).unwrap();
        let values = request.headers().get_all("spin-path-match-id");
        let last = values.iter().next_back().unwrap();
        assert_eq!(last.as_bytes(), "\u{e9}".as_bytes());
    }

    #[test]
    fn headers_of_the_connection_are_removed() {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(HOST, HeaderValue::from_static("other.spin.internal:80"));
        strip(&mut headers);
        assert!(headers.is_empty());
        headers.insert(HOST, HeaderValue::from_static("app.example"));
        strip(&mut headers);
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn a_request_without_an_unambiguous_host_is_refused() {
        let mut request = Request::get("/").body(()).unwrap();
        assert!(make_absolute(&mut request).is_err());
        let mut request = Request::get("http://a/")
            .header(HOST, "b")
            .body(())
            .unwrap();
        assert!(make_absolute(&mut request).is_err());
    }
}
