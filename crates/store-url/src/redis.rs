//! `redis://[user:password@]host[:port][/database]`, as `redis-cli -u` reads it.

use crate::{InvalidUrl, credentials, has_valid_port};

const SCHEMES: [&str; 2] = ["redis://", "rediss://"];

/// A URL of Redis in the form that clients take. All before the first `@` is user and password,
/// whatever characters are in it; without a colon it is the password.
///
/// # Errors
///
/// If `redis-cli` could not take it.
pub fn redis(url: &str) -> Result<String, InvalidUrl> {
    let scheme = SCHEMES.into_iter().find(|scheme| url.starts_with(scheme));
    let scheme = scheme.ok_or(InvalidUrl::Scheme("redis:// or rediss://"))?;
    let rest = &url[scheme.len()..];
    let (user_info, rest) = match rest.split_once('@') {
        Some((user_info, rest)) => (canonical(user_info)? + "@", rest),
        None => (String::new(), rest),
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    if rest.contains('@') {
        return Err(InvalidUrl::At);
    }
    if !has_valid_port(host) {
        return Err(InvalidUrl::Port);
    }
    Ok(format!("{scheme}{user_info}{rest}"))
}

fn canonical(user_info: &str) -> Result<String, InvalidUrl> {
    let (user, password) = user_info.split_once(':').unwrap_or(("", user_info));
    let user = credentials::canonical(user)?;
    Ok(format!("{user}:{}", credentials::canonical(password)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_as_redis_cli_takes_it() {
        for (url, canonical) in [
            ("redis://h", "redis://h"),
            ("rediss://h:6380/3", "rediss://h:6380/3"),
            ("redis://[::1]:6379", "redis://[::1]:6379"),
            ("redis://:p?w#/:x@h:1/0", "redis://:p%3Fw%23%2F%3Ax@h:1/0"),
            ("redis://u:p%3fw@h", "redis://u:p%3Fw@h"),
            ("redis://secret@h", "redis://:secret@h"),
            ("redis://:ü b@h", "redis://:%C3%BC%20b@h"),
        ] {
            assert_eq!(redis(url).as_deref(), Ok(canonical), "{url}");
        }
    }

    #[test]
    fn what_redis_cli_cannot_take_is_refused() {
        assert_eq!(redis("redis://:p@w@h:1"), Err(InvalidUrl::At));
        assert_eq!(redis("redis://h:x"), Err(InvalidUrl::Port));
        assert_eq!(redis("redis://:5%@h"), Err(InvalidUrl::PercentEncoding));
        for url in ["", "h:6379", "http://h", "REDIS"] {
            assert!(matches!(redis(url), Err(InvalidUrl::Scheme(_))), "{url}");
        }
    }
}
