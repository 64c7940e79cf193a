//! `Authorization: Bearer` (RFC 6750).

use http::header;

use crate::{Error, Result};
use platform::error::Credentials;
use platform::http::Headers;

/// The longest token, in bytes. Ours have some hundred; with the claims that
/// identity providers add, a few thousand.
const MAX_LENGTH: usize = 8 * 1024;

/// The token; 401 if there is none, or none that could be one.
pub fn token(headers: &Headers) -> Result<&str> {
    let mut all = headers.all(header::AUTHORIZATION.as_str());
    match (all.next(), all.next()) {
        (None, _) => Err(Error::Unauthorized(Credentials::Missing)),
        (Some(value), None) => value
            .ok_or(Credentials::Invalid)
            .and_then(of_value)
            .map_err(Error::Unauthorized),
        // Two identities are none.
        (Some(_), Some(_)) => Err(Error::Unauthorized(Credentials::Invalid)),
    }
}

fn of_value(value: &str) -> Result<&str, Credentials> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Credentials::Missing);
    }
    let token = token.trim_matches(' ');
    if token.is_empty() || token.len() > MAX_LENGTH {
        return Err(Credentials::Invalid);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_scheme_is_read_in_any_case_and_others_are_no_bearer() {
        assert_eq!(of_value("Bearer a.b.c"), Ok("a.b.c"));
        assert_eq!(of_value("bEARER  a.b.c "), Ok("a.b.c"));
        assert_eq!(of_value("Basic dTpw"), Err(Credentials::Missing));
        assert_eq!(of_value("Bearera.b.c"), Err(Credentials::Missing));
        assert_eq!(of_value("Bearer"), Err(Credentials::Invalid));
        let long = format!("Bearer {}", "x".repeat(MAX_LENGTH + 1));
        assert_eq!(of_value(&long), Err(Credentials::Invalid));
    }

    fn headers(values: &[&[u8]]) -> Headers {
        let field = |value: &&[u8]| ("authorization".to_owned(), value.to_vec());
        Headers::new(values.iter().map(field).collect())
    }

    #[test]
    fn two_headers_are_refused() {
        let value = b"Bearer a.b.c".as_slice();
        assert!(token(&headers(&[value])).is_ok());
        assert!(token(&headers(&[value, value])).is_err());
    }

    proptest! {
        #[test]
        fn any_value_is_a_token_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = token(&headers(&[&bytes]));
        }
    }
}
