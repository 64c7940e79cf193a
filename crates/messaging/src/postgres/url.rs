//! The connection's address.

use std::borrow::Cow;
use std::time::Duration;

/// How long a session may hold a transaction open without a word. Nothing here
/// does so; a host that dies in the middle must not keep its locks.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);

/// The address with settings that make the server give up what nobody waits
/// for any more. An address that has `options` of its own, or that is no URL,
/// stays as it is: the operator knows better.
pub fn with_timeouts(url: &str, statement: Duration) -> Cow<'_, str> {
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
    let (statement, idle) = (statement.as_millis(), IDLE_IN_TRANSACTION.as_millis());
    Cow::Owned(format!(
        "{url}{separator}options=-c%20statement_timeout%3D{statement}\
         %20-c%20idle_in_transaction_session_timeout%3D{idle}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "options=-c%20statement_timeout%3D5000\
                           %20-c%20idle_in_transaction_session_timeout%3D10000";

    fn with(url: &str) -> Cow<'_, str> {
        with_timeouts(url, Duration::from_secs(5))
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
