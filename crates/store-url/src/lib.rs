//! The URLs of Redis and PostgreSQL as operators write them: read by the rules of `redis-cli` and
//! `psql`, and written in the form that the clients of all hosts take.
//!
//! Those clients read a special character in a password in their own ways, and refuse a parameter
//! with a message that shows the URL. What cannot be taken is refused here, with a reason that holds
//! no part of the value.
//!
//! # Layout
//!
//! - [`redis()`], [`postgres()`]: the two kinds of URL.
//! - `credentials`: user and password, which both have.

mod credentials;
mod postgres;
mod redis;

pub use postgres::postgres;
pub use redis::redis;

/// Why a URL is refused. Its `Display` continues "the variable …" and holds no part of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Another scheme, or no URL.
    #[error("does not begin with {0}")]
    Scheme(&'static str),
    /// `%` without two hexadecimal digits, or `%00`.
    #[error(
        "has a % in its user or password that is not followed by two hexadecimal digits (write %25)"
    )]
    PercentEncoding,
    /// `@` in the user or password, or behind them.
    #[error("has an @ in its user or password (write %40)")]
    At,
    /// The host has a port that is none, most often because a password was not taken for one.
    #[error(
        "has a port that is not a number (write special characters of a user or password as %XX)"
    )]
    Port,
    /// A parameter that no host's client takes.
    #[error("has the parameter {0}, which is not supported")]
    Parameter(&'static str),
    /// A parameter that is not named here, because its name may be a part of a password.
    #[error("has a parameter that is not supported")]
    OtherParameter,
    /// A value that a parameter cannot have.
    #[error("has a value of sslmode that is not supported")]
    SslMode,
}

/// Whether this is a host with a port that is a number, or without one.
fn has_valid_port(host: &str) -> bool {
    let after_brackets = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    let port = after_brackets.split_once(':').map(|(_, port)| port);
    port.is_none_or(|port| port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit()))
}
