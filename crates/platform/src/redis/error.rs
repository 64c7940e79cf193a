//! What Redis or the way to it answered instead of a reply.

use spin_sdk::redis::Error as HostError;

use crate::Error;
use crate::error::Store;
use crate::log::redact;

/// Why a command gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedisError {
    /// The connection is lost, or the server behind it does not serve: a replica, or one that is
    /// loading. Another connection may do.
    #[error("{0}")]
    Disconnected(String),
    /// The server cannot carry out the command now, and says that this passes.
    #[error("{0}")]
    Busy(String),
    /// The key holds a value of another type.
    #[error("{0}")]
    WrongType(String),
    /// The server does not have the script of that name.
    #[error("{0}")]
    NoScript(String),
    /// The server refuses the command, or its reply has another form: a mistake, or a missing
    /// privilege.
    #[error("{0}")]
    Refused(String),
}

impl RedisError {
    /// Whether Redis does not serve at present.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Disconnected(_) | Self::Busy(_))
    }
}

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        if error.is_outage() {
            Self::Unavailable(Store::Redis, error.to_string())
        } else {
            Self::Internal(format!("Redis: {error}"))
        }
    }
}

/// Codes of a server that does not serve, in capitals: those of Redis, and those that Spin's
/// client has for some of them.
const NOT_SERVING: [&str; 8] = [
    "LOADING",
    "BUSYLOADING",
    "BUSYLOADINGERROR",
    "READONLY",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "NOAUTH",
    "WRONGPASS",
];
/// The code of a script that the server does not have, in the forms of the protocol and of the
/// host's client.
const NO_SCRIPT: [&str; 2] = ["NOSCRIPT", "NOSCRIPTERROR"];
/// Codes of what passes: a script that runs too long, a full disk or memory, too few replicas, a
/// slot on its way to another node.
const PASSING: [&str; 6] = [
    "BUSY",
    "MISCONF",
    "OOM",
    "NOREPLICAS",
    "TRYAGAIN",
    "UNKILLABLE",
];

pub(super) fn classify(error: &HostError) -> RedisError {
    match error {
        HostError::InvalidAddress => {
            RedisError::Disconnected("the address is invalid or not allowed".into())
        }
        HostError::TooManyConnections => RedisError::Disconnected("too many connections".into()),
        HostError::TypeError => RedisError::Refused("the reply has another type".into()),
        HostError::Other(text) => by_text(&redact(text)),
    }
}

fn by_text(text: &str) -> RedisError {
    let Some(code) = code(text) else {
        return RedisError::Disconnected(text.to_owned());
    };
    if code == "WRONGTYPE" || text.contains("WRONGTYPE ") {
        RedisError::WrongType(text.to_owned())
    } else if NO_SCRIPT.contains(&&*code) {
        RedisError::NoScript(text.to_owned())
    } else if NOT_SERVING.contains(&&*code) {
        RedisError::Disconnected(text.to_owned())
    } else if PASSING.contains(&&*code) {
        RedisError::Busy(text.to_owned())
    } else {
        RedisError::Refused(text.to_owned())
    }
}

/// The error code of a server's answer, in capitals; `None` if the text is not of a server. The
/// forms: `WRONGTYPE Operation …` (the protocol), `WRONGTYPE: …` and `"WRONGTYPE": …` (codes that
/// the host's client does not know), `An error was signalled by the server - ReadOnly: …` and
/// `ReadOnly: …` (those that it knows).
fn code(text: &str) -> Option<String> {
    const SIGNALLED: &str = "signalled by the server";
    let (signalled, rest) = match text.find(SIGNALLED) {
        Some(at) => (
            true,
            text[at + SIGNALLED.len()..].trim_start_matches([' ', '-', ':']),
        ),
        None => (false, text),
    };
    let rest = rest.trim_start_matches('"');
    let end = rest.find([' ', ':', '"']).unwrap_or(rest.len());
    let code = &rest[..end];
    let capitals = code.len() > 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let kind = KINDS.contains(&code);
    (signalled || capitals || kind).then(|| code.to_ascii_uppercase())
}

/// The names that redis-rs has for error codes, in the `ErrorKind` of its older versions and the
/// `ServerErrorKind` of its newer ones.
const KINDS: [&str; 17] = [
    "ResponseError",
    "ExecAbort",
    "ExecAbortError",
    "BusyLoading",
    "BusyLoadingError",
    "NoScript",
    "NoScriptError",
    "Moved",
    "Ask",
    "TryAgain",
    "ClusterDown",
    "CrossSlot",
    "MasterDown",
    "ReadOnly",
    "NotBusy",
    "NoPerm",
    "NoSub",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_and_a_server_that_does_not_serve_are_disconnections() {
        for text in [
            "Broken pipe (os error 32)",
            "Connection refused (os error 111)",
            "timed out",
            "unexpected end of file",
            "LOADING Redis is loading the dataset in memory",
            "LOADING: Redis is loading the dataset in memory",
            "BusyLoading: Redis is loading the dataset in memory",
            "An error was signalled by the server - BusyLoadingError: Redis is loading",
            "An error was signalled by the server - ReadOnly: You can't write against a read only replica.",
            "ReadOnly: You can't write against a read only replica.",
            "READONLY: You can't write against a read only replica.",
            "\"MASTERDOWN\": Link with MASTER is down",
            "An error was signalled by the server - ClusterDown: The cluster is down",
        ] {
            assert!(
                matches!(by_text(text), RedisError::Disconnected(_)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_passes_keeps_the_connection() {
        for text in [
            "MISCONF Redis is configured to save RDB snapshots",
            "\"MISCONF\": Redis is configured to save RDB snapshots",
            "OOM: command not allowed when used memory > 'maxmemory'.",
            "An error was signalled by the server - TryAgain: Multiple keys request",
            "BUSY: Redis is busy running a script.",
            "NOREPLICAS: Not enough good replicas to write.",
        ] {
            assert!(matches!(by_text(text), RedisError::Busy(_)), "{text}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_the_keys_own_fault() {
        for text in [
            "WRONGTYPE: Operation against a key holding the wrong kind of value",
            "\"WRONGTYPE\": Operation against a key holding the wrong kind of value",
            "An error was signalled by the server - ResponseError: Error running script (call to \
             f_1): @user_script:2: WRONGTYPE Operation against a key",
        ] {
            assert!(matches!(by_text(text), RedisError::WrongType(_)), "{text}");
        }
    }

    #[test]
    fn a_script_that_the_server_lacks_is_sent() {
        for text in [
            "NOSCRIPT No matching script. Please use EVAL.",
            "NoScript: No matching script. Please use EVAL.",
            "NoScriptError: No matching script. Please use EVAL.",
            "An error was signalled by the server - NoScriptError: No matching script.",
        ] {
            assert!(matches!(by_text(text), RedisError::NoScript(_)), "{text}");
        }
    }

    #[test]
    fn other_codes_are_refusals() {
        for text in [
            "NOPERM: this user has no permissions to run the 'info' command",
            "An error was signalled by the server - ResponseError: unknown command",
            "ResponseError: value is not an integer or out of range",
            "An error was signalled by the server - NoPerm: no permissions",
        ] {
            assert!(matches!(by_text(text), RedisError::Refused(_)), "{text}");
        }
    }
}
