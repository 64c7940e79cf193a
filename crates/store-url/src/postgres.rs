//! `postgres://[user[:password]@]host[:port][,…][/database][?name=value&…]`, as libpq reads it, and
//! with it `psql`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::{InvalidUrl, credentials, has_valid_port};

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The parameters that the hosts' client takes.
const SUPPORTED: [&str; 18] = [
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "sslnegotiation",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "channel_binding",
    "load_balance_hosts",
];

/// Parameters of libpq and of other clients that operators often have: refused by their names.
const UNSUPPORTED: [&str; 22] = [
    "schema",
    "currentSchema",
    "search_path",
    "connection_limit",
    "pool_timeout",
    "pool_size",
    "pgbouncer",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslcrl",
    "sslcompression",
    "ssl_min_protocol_version",
    "gssencmode",
    "krbsrvname",
    "passfile",
    "service",
    "client_encoding",
    "fallback_application_name",
    "keepalives_count",
    "replication",
];

/// A URL of PostgreSQL in the form that clients take; a `name=value …` string stays as it is.
///
/// The hosts check a server's certificate and name whenever they use TLS, so `verify-ca` and
/// `verify-full` are what they do with `require`.
///
/// # Errors
///
/// If libpq could not take it, or a parameter has no effect with the hosts' client.
pub fn postgres(url: &str) -> Result<String, InvalidUrl> {
    let Some(scheme) = SCHEMES.into_iter().find(|scheme| url.starts_with(scheme)) else {
        return if url.contains("://") || !url.contains('=') {
            Err(InvalidUrl::Scheme("postgres:// or postgresql://"))
        } else {
            Ok(url.to_owned())
        };
    };
    let (user_info, rest) = split_credentials(&url[scheme.len()..])?;
    let (address, query) = match rest.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (rest, None),
    };
    check_hosts(address.split('/').next().unwrap_or_default())?;
    let query = match query {
        Some(query) => format!("?{}", canonical_query(query)?),
        None => String::new(),
    };
    Ok(format!("{scheme}{user_info}{address}{query}"))
}

/// All before the first `@` is user and password, unless there is a `/` before that.
fn split_credentials(rest: &str) -> Result<(String, &str), InvalidUrl> {
    let Some((user_info, rest)) = rest
        .split_once('@')
        .filter(|(user_info, _)| !user_info.contains('/'))
    else {
        return Ok((String::new(), rest));
    };
    let user_info = match user_info.split_once(':') {
        Some((user, password)) => {
            let user = credentials::canonical(user)?;
            format!("{user}:{}@", credentials::canonical(password)?)
        }
        None => credentials::canonical(user_info)? + "@",
    };
    Ok((user_info, rest))
}

fn check_hosts(hosts: &str) -> Result<(), InvalidUrl> {
    if hosts.contains('@') {
        Err(InvalidUrl::At)
    } else if hosts.split(',').all(has_valid_port) {
        Ok(())
    } else {
        Err(InvalidUrl::Port)
    }
}

fn canonical_query(query: &str) -> Result<String, InvalidUrl> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs: Vec<_> = pairs.map(canonical_pair).collect::<Result<_, _>>()?;
    Ok(pairs.join("&"))
}

fn canonical_pair(pair: &str) -> Result<Cow<'_, str>, InvalidUrl> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let name = percent_decode_str(name).decode_utf8_lossy();
    match (&*name, value) {
        // For applications of JDBC.
        ("ssl", "true") => Ok("sslmode=require".into()),
        ("sslmode", value) => ssl_mode(value).map(|mode| format!("sslmode={mode}").into()),
        (name, _) if SUPPORTED.contains(&name) => Ok(pair.into()),
        (name, _) => Err(UNSUPPORTED
            .into_iter()
            .find(|known| *known == name)
            .map_or(InvalidUrl::OtherParameter, InvalidUrl::Parameter)),
    }
}

fn ssl_mode(mode: &str) -> Result<&str, InvalidUrl> {
    match mode {
        "disable" | "prefer" | "require" => Ok(mode),
        "allow" => Ok("prefer"),
        "verify-ca" | "verify-full" => Ok("require"),
        _ => Err(InvalidUrl::SslMode),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_is_taken_as_psql_takes_it() {
        for (url, canonical) in [
            ("postgres://h/d", "postgres://h/d"),
            ("postgresql://u@h:5432/d", "postgresql://u@h:5432/d"),
            ("postgres://u:p?w#@h/d", "postgres://u:p%3Fw%23@h/d"),
            (
                "postgres://u:p?a=b&c@h/d?sslmode=require",
                "postgres://u:p%3Fa%3Db%26c@h/d?sslmode=require",
            ),
            ("postgres://u:a:b@h/d", "postgres://u:a%3Ab@h/d"),
            (
                "postgres://u:%40@h,[::1]:5/d",
                "postgres://u:%40@h,[::1]:5/d",
            ),
            ("postgres:///d?host=%2Ftmp", "postgres:///d?host=%2Ftmp"),
            ("host=h dbname=d", "host=h dbname=d"),
        ] {
            assert_eq!(postgres(url).as_deref(), Ok(canonical), "{url}");
        }
    }

    #[test]
    fn a_mode_that_verifies_is_what_the_hosts_do_when_tls_is_required() {
        for mode in ["verify-full", "verify-ca", "require"] {
            let canonical = postgres(&format!("postgres://h/d?sslmode={mode}&connect_timeout=5"));
            let wanted = "postgres://h/d?sslmode=require&connect_timeout=5";
            assert_eq!(canonical.as_deref(), Ok(wanted));
        }
        let unknown = postgres("postgres://h/d?sslmode=full");
        assert_eq!(unknown, Err(InvalidUrl::SslMode));
    }

    #[test]
    fn a_parameter_without_effect_is_refused_by_its_name() {
        let schema = postgres("postgres://h/d?sslmode=require&schema=x");
        assert_eq!(schema, Err(InvalidUrl::Parameter("schema")));
        let other = postgres("postgres://h/d?hunter2=x");
        assert_eq!(other, Err(InvalidUrl::OtherParameter));
    }

    #[test]
    fn what_psql_cannot_take_is_refused() {
        assert_eq!(postgres("postgres://u:a@b@h/d"), Err(InvalidUrl::At));
        assert_eq!(postgres("postgres://u:a/b@h/d"), Err(InvalidUrl::Port));
        assert_eq!(
            postgres("postgres://u:5%@h/d"),
            Err(InvalidUrl::PercentEncoding)
        );
        for url in ["", "h", "mysql://h/d"] {
            assert!(matches!(postgres(url), Err(InvalidUrl::Scheme(_))), "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_reason_shows_a_part_of_the_password(password in "[!-~]{6,20}") {
            let url = format!("postgres://u:{password}@h/d");
            if let Err(reason) = postgres(&url) {
                prop_assert!(!reason.to_string().contains(&password));
            }
        }
    }
}
