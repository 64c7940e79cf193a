//! `GET` and `HEAD` of the page and its files.

use http::{HeaderName, Method, StatusCode, header};
use messaging::http::{Call, Reply};
use messaging::{Error, Result};

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

pub fn run(call: &Call) -> Result<Reply> {
    let asset = assets::find(call.path()).ok_or(Error::NotFound("There is no such route."))?;
    if !matches!(*call.method(), Method::GET | Method::HEAD) {
        return Err(Error::MethodNotAllowed("GET, HEAD"));
    }
    let etag = etag(asset);
    let reply = if holds(call.header("if-none-match"), &etag) {
        Reply::not_modified()
    } else {
        // With HEAD the host sends the headers of this body and not the body.
        Reply::whole(StatusCode::OK, asset.content_type, asset.body)
    };
    let reply = reply.header(header::ETAG, etag);
    Ok(HEADERS
        .into_iter()
        .fold(reply, |reply, (name, value)| reply.header(name, value)))
}

fn etag(asset: &Asset) -> String {
    format!("\"{:016x}\"", asset.fingerprint)
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
