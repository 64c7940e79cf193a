//! The connection's address.

use std::borrow::Cow;
use std::time::Duration;

/// How long a session may be idle in a transaction. Nothing here is; a host that dies in the middle
/// must not keep its locks.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);

/// The address with the settings of our sessions: the server gives up a statement that no request
/// waits for any more, and a wait for a lock that holds up other statements; and each statement of
/// a function sees what was committed before it. An address that has `options` of its own, or that
/// is no URL, stays as it is: the operator knows better.
pub fn with_settings(url: &str, statement: Duration, lock: Duration) -> Cow<'_, str> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
    if !address.contains("://") || names.any(|name| name == "options") {
        return Cow::Borrowed(url);
    }
    let separator = match (url.contains('?'), query.is_empty()) {
        (false, _) => "?",
        (true, true) => "",
        (true, false) => "&",
    };
    let settings = [
        ("statement_timeout", statement.as_millis().to_string()),
        ("lock_timeout", lock.as_millis().to_string()),
        (
            "idle_in_transaction_session_timeout",
            IDLE_IN_TRANSACTION.as_millis().to_string(),
        ),
        ("default_transaction_isolation", r"read\ committed".into()),
    ];
    let options = settings.map(|(name, value)| format!("-c {name}={value}"));
    let options = options.join(" ");
    let options = form_urlencoded::byte_serialize(options.as_bytes());
    let options = options.collect::<String>().replace('+', "%20");
    Cow::Owned(format!("{url}{separator}options={options}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "options=-c%20statement_timeout%3D5000%20-c%20lock_timeout%3D100\
        %20-c%20idle_in_transaction_session_timeout%3D10000\
        %20-c%20default_transaction_isolation%3Dread%5C%20committed";

    fn with(url: &str) -> Cow<'_, str> {
        with_settings(url, Duration::from_secs(5), Duration::from_millis(100))
    }

    #[test]
    fn the_settings_are_appended_to_the_query() {
        let url = "postgres://u:p@h:5432/d";
        assert_eq!(with(url), format!("{url}?{OPTIONS}"));
        assert_eq!(
            with("postgres://h/d?sslmode=require"),
            format!("postgres://h/d?sslmode=require&{OPTIONS}")
        );
        assert_eq!(with("postgres://h/d?"), format!("postgres://h/d?{OPTIONS}"));
    }

    #[test]
    fn an_operators_own_options_stay() {
        for url in [
            "postgres://h/d?options=-c%20statement_timeout%3D1",
            "postgres://h/d?sslmode=require&options=",
            "host=h dbname=d",
        ] {
            assert_eq!(with(url), url);
        }
    }
}
