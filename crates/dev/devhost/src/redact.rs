//! Keeps passwords out of logs and error messages.
//!
//! Drivers put addresses, or parts of them, into their error texts. Every text
//! of a driver passes through [`redact`] before it is logged or returned.

use percent_encoding::percent_decode_str;

/// Replaces the password of `address` wherever `text` contains it.
///
/// `address` is a URL or a `key=value` connection string.
pub fn redact(text: &str, address: &str) -> String {
    let mut redacted = text.replace(address, &without_password(address));
    for secret in passwords(address) {
        redacted = redacted.replace(&secret, "***");
    }
    redacted
}

/// `address` without user name and password, for a log line.
pub fn without_password(address: &str) -> String {
    match user_info(address) {
        Some((start, end)) => format!("{}{}", &address[..start], &address[end + 1..]),
        None if address.contains("password") => "(address not shown)".to_owned(),
        None => address.to_owned(),
    }
}

/// The password as it is written in the address, and decoded.
fn passwords(address: &str) -> Vec<String> {
    let written = match user_info(address) {
        Some((start, end)) => address[start..end]
            .split_once(':')
            .map(|(_, password)| password),
        None => key_value_password(address),
    };
    let Some(written) = written.filter(|password| !password.is_empty()) else {
        return Vec::new();
    };
    let decoded = percent_decode_str(written).decode_utf8_lossy().into_owned();
    vec![written.to_owned(), decoded]
}

/// The password of a `key=value` connection string.
fn key_value_password(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("password=")?;
    let value = rest.split([' ', '&']).next()?;
    Some(value.trim_matches('\''))
}

/// Where the part between `://` and `@` is, as byte offsets.
fn user_info(address: &str) -> Option<(usize, usize)> {
    let start = address.find("://")? + 3;
    let end = start + address[start..].rfind('@')?;
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_removed_from_driver_messages() {
        let address = "redis://user:p%40ss@cache:6379/0";
        for text in [
            "bad p%40ss",
            "bad p@ss",
            "cannot reach redis://user:p%40ss@cache:6379/0",
        ] {
            let shown = redact(text, address);
            assert!(
                !shown.contains("p@ss") && !shown.contains("p%40ss"),
                "{shown}"
            );
        }
        assert_eq!(redact("refused", address), "refused");
    }

    #[test]
    fn addresses_are_shown_without_user_information() {
        assert_eq!(
            without_password("redis://:pw@cache:1/0"),
            "redis://cache:1/0"
        );
        assert_eq!(without_password("redis://cache"), "redis://cache");
        let words = "host=db password=hidden user=app";
        assert!(!without_password(words).contains("hidden"));
        assert!(!redact("no hidden thing", words).contains("hidden"));
    }
}
