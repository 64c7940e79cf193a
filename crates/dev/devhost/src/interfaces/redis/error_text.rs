//! The texts of Redis errors.
//!
//! Spin's driver is redis 0.32, and devhost's a later version, which formats the
//! errors of a server differently. Guests must understand both.

use redis::RedisError;

/// The text of `error`, as redis 0.32 formats it if `spin`.
pub fn text(error: &RedisError, spin: bool) -> String {
    match error.code() {
        Some(code) if spin => server_error(code, error.detail()),
        _ => error.to_string(),
    }
}

/// An error that a server returned, as redis 0.32 formats it: by its kind where
/// the driver knows the code, else by the code.
fn server_error(code: &str, detail: Option<&str>) -> String {
    const DESCRIPTION: &str = "An error was signalled by the server";
    match (kind(code), detail) {
        (Some(kind), Some(detail)) => format!("{DESCRIPTION} - {kind}: {detail}"),
        // Without a space, as in the driver.
        (Some(kind), None) => format!("{DESCRIPTION}- {kind}"),
        (None, Some(detail)) => format!("{code}: {detail}"),
        (None, None) => format!("{code}: Unknown extension error encountered"),
    }
}

fn kind(code: &str) -> Option<&'static str> {
    Some(match code {
        "ERR" => "ResponseError",
        "EXECABORT" => "ExecAbortError",
        "LOADING" => "BusyLoadingError",
        "NOSCRIPT" => "NoScriptError",
        "MOVED" => "Moved",
        "ASK" => "Ask",
        "TRYAGAIN" => "TryAgain",
        "CLUSTERDOWN" => "ClusterDown",
        "CROSSSLOT" => "CrossSlot",
        "MASTERDOWN" => "MasterDown",
        "READONLY" => "ReadOnly",
        "NOTBUSY" => "NotBusy",
        "NOSUB" => "NoSub",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use redis::{Value, parse_redis_value};

    use super::*;

    fn spins_text(reply: &str) -> String {
        let Ok(Value::ServerError(error)) = parse_redis_value(reply.as_bytes()) else {
            panic!("{reply} is no error of a server");
        };
        text(&error.into(), true)
    }

    #[test]
    fn errors_of_servers_read_as_in_spin() {
        for (reply, expected) in [
            (
                "-READONLY You can't write against a read only replica.\r\n",
                "An error was signalled by the server - ReadOnly: You can't write against a read \
                 only replica.",
            ),
            (
                "-ERR unknown command\r\n",
                "An error was signalled by the server - ResponseError: unknown command",
            ),
            (
                "-LOADING\r\n",
                "An error was signalled by the server- BusyLoadingError",
            ),
            (
                "-WRONGTYPE Operation against a key\r\n",
                "WRONGTYPE: Operation against a key",
            ),
            (
                "-NOPERM this user has no permissions\r\n",
                "NOPERM: this user has no permissions",
            ),
            ("-OOM\r\n", "OOM: Unknown extension error encountered"),
        ] {
            assert_eq!(spins_text(reply), expected);
        }
    }
}
