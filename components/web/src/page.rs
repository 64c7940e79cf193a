//! `GET /`, `GET /assets/:file` and `GET /api/v1/openapi.json`

use http::{HeaderName, StatusCode, header};
use messaging::api::RequestContext;
use messaging::{Error, Result};
use platform::http::Response;

use crate::assets::{self, Asset};

/// Only files of this origin are loaded; inline scripts and styles, HTML from text (trusted types)
/// and framing are refused.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 4] = [
    // The browser revalidates its copy on every use, so a deployment takes effect at once.
    (header::CACHE_CONTROL, "no-cache"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

pub async fn run(context: RequestContext) -> Result<Response> {
    let asset = assets::find(context.path()).ok_or(Error::NotFound("There is no such route."))?;
    // The proxies of a gateway sign what they pass on. To the page it is only a hint: try a socket.
    let has_gateway = context.path() == "/" && context.header("grip-sig").is_some();
    let etag = etag(asset, has_gateway);
    let response = if holds(context.header("if-none-match"), &etag) {
        Response::not_modified()
    } else {
        Response::whole(StatusCode::OK, asset.content_type, body(asset, has_gateway))
    };
    let response = response.header(header::ETAG, etag);
    Ok(HEADERS
        .into_iter()
        .fold(response, |response, (name, value)| {
            response.header(name, value)
        }))
}

fn etag(asset: &Asset, has_gateway: bool) -> String {
    let variant = if has_gateway { "-gateway" } else { "" };
    format!("\"{:016x}{variant}\"", asset.fingerprint)
}

/// The file; the page says whether it came through a gateway.
fn body(asset: &Asset, has_gateway: bool) -> Vec<u8> {
    match str::from_utf8(asset.body) {
        Ok(html) if has_gateway => html.replacen("<html", "<html data-gateway", 1).into(),
        _ => asset.body.to_vec(),
    }
}

/// Whether a list of entity tags holds this one; a weak one counts (RFC 9110, 13.1.2).
fn holds(list: Option<&str>, etag: &str) -> bool {
    list.is_some_and(|list| {
        list.split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == etag || tag == "*")
    })
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn a_known_version_is_recognised() {
        for list in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(holds(Some(list), "\"a\""), "{list}");
        }
        for list in [None, Some(""), Some("\"b\""), Some("a")] {
            assert!(!holds(list, "\"a\""), "{list:?}");
        }
    }
}
