//! The cookie of a session (RFC 6265).

use std::time::Duration;

use http::header;
use platform::error::Credentials;
use platform::http::Headers;

use super::AuthMode;
use crate::sessions::SessionKey;
use crate::{Error, Result};

/// The prefix makes browsers refuse a cookie of this name that is not `Secure`, or that another host of
/// the same domain set.
const NAME: &str = "__Host-session";
/// Without TLS, on the machine itself.
const OPEN_NAME: &str = "session";

const fn name(mode: AuthMode) -> &'static str {
    match mode {
        AuthMode::Jwt => NAME,
        AuthMode::Open => OPEN_NAME,
    }
}

/// The key of the session whose cookie a request has; `None` if it has none, 401 if it has several, or
/// one that could not be ours.
pub fn read(headers: &Headers, mode: AuthMode) -> Result<Option<SessionKey>> {
    let invalid = || Error::Unauthorized(Credentials::Invalid);
    let mut values = headers
        .all(header::COOKIE.as_str())
        .flatten()
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name(mode));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some((_, value)), None) => SessionKey::of_secret(value).map(Some).ok_or_else(invalid),
        // One of them may have been planted.
        (Some(_), Some(_)) => Err(invalid()),
    }
}

/// The value of `Set-Cookie` that gives a browser a session.
#[must_use]
pub fn give(mode: AuthMode, secret: &str, lifetime: Duration) -> String {
    line(mode, secret, lifetime.as_secs())
}

/// The value of `Set-Cookie` that takes the cookie from a browser.
#[must_use]
pub fn take(mode: AuthMode) -> String {
    line(mode, "", 0)
}

fn line(mode: AuthMode, value: &str, max_age: u64) -> String {
    let secure = match mode {
        AuthMode::Jwt => " Secure;",
        AuthMode::Open => "",
    };
    let name = name(mode);
    format!("{name}={value}; HttpOnly;{secure} SameSite=Strict; Path=/; Max-Age={max_age}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn of(lines: &[&str], mode: AuthMode) -> Result<Option<SessionKey>> {
        let field = |line: &&str| ("cookie".to_owned(), line.as_bytes().to_vec());
        read(&Headers::new(lines.iter().map(field).collect()), mode)
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let ours = format!("a=b; __Host-session={SECRET}; c=d");
        let key = of(&[&ours], AuthMode::Jwt).unwrap();
        assert_eq!(key, SessionKey::of_secret(SECRET));
        assert_eq!(of(&["a=b", &ours], AuthMode::Jwt).unwrap(), key);
        assert_eq!(of(&[&ours], AuthMode::Open).unwrap(), None);
        assert_eq!(of(&[], AuthMode::Jwt).unwrap(), None);
    }

    #[test]
    fn a_cookie_of_a_less_protected_name_is_none() {
        for name in [
            "session",
            "__host-session",
            "__Secure-session",
            "x__Host-session",
        ] {
            let line = format!("{name}={SECRET}");
            assert_eq!(of(&[&line], AuthMode::Jwt).unwrap(), None, "{name}");
        }
    }

    #[test]
    fn two_sessions_and_what_is_no_secret_are_refused() {
        let one = format!("__Host-session={SECRET}");
        assert!(of(&[&one, &one], AuthMode::Jwt).is_err());
        assert!(of(&[&format!("{one}; {one}")], AuthMode::Jwt).is_err());
        for value in ["", "x", "\"", &SECRET[1..]] {
            assert!(of(&[&format!("__Host-session={value}")], AuthMode::Jwt).is_err());
        }
    }

    #[test]
    fn a_cookie_is_out_of_the_reach_of_scripts_and_other_sites() {
        let line = give(AuthMode::Jwt, SECRET, Duration::from_secs(60));
        let expected = "; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=60";
        assert_eq!(line, format!("__Host-session={SECRET}{expected}"));
        assert_eq!(
            take(AuthMode::Open),
            "session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"
        );
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in "\\PC*") {
            let _ = of(&[&line], AuthMode::Jwt);
        }
    }
}
