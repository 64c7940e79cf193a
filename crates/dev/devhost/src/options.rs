//! The command line; names and defaults are those of `spin up`.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    num::NonZeroUsize,
    path::PathBuf,
    thread,
    time::Duration,
};

use clap::Parser;

use crate::{deviations::Deviations, limit::Limit, triggers::http::ReuseLimits};

/// Runs a Spin app on this machine.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Options {
    /// The app's manifest, or the folder that holds its spin.toml.
    #[arg(
        short = 'f',
        long = "from",
        alias = "file",
        default_value = "spin.toml"
    )]
    pub manifest: PathBuf,

    /// The address to listen on; port 0 takes any free one.
    #[arg(long, env = "SPIN_HTTP_LISTEN_ADDR", default_value = "127.0.0.1:3000", value_parser = parse_address)]
    pub listen: SocketAddr,

    /// Settings for Spin's host. devhost checks the keys and ignores the values.
    #[arg(long, env = "RUNTIME_CONFIG_FILE")]
    pub runtime_config_file: Option<PathBuf>,

    /// The cache of compiled components [default: .lexiflow/compiled next to the manifest].
    #[arg(long)]
    pub cache_dir: Option<PathBuf>,

    /// A variable's value; takes precedence over the environment. Repeatable.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = parse_variable)]
    pub variables: Vec<(String, String)>,

    /// Requests that an instance serves in all: a number, or a range (1..8) to pick from.
    #[arg(long, default_value = "128")]
    pub max_instance_reuse_count: Limit<u64>,

    /// Requests that an instance serves at once.
    #[arg(long, default_value = "16")]
    pub max_instance_concurrent_reuse_count: Limit<u64>,

    /// Time until an idle instance is dropped: 1s, 250ms, 1..8s.
    #[arg(long, default_value = "1s")]
    pub idle_instance_timeout: Limit<Duration>,

    /// Time until a request without an answer fails [default: none].
    #[arg(long)]
    pub request_timeout: Option<Limit<Duration>>,

    /// TCP keep-alive of Redis connections, in milliseconds; 0 turns it off.
    #[arg(long, env = "REDIS_KEEP_ALIVE", default_value_t = 30_000)]
    pub redis_keep_alive: u64,

    /// Threads that serve HTTP, each with its own instances unless --strict [default: one per core].
    #[arg(long, default_value_t = cores(), hide_default_value = true)]
    pub event_loops: NonZeroUsize,

    /// Do only what Spin does.
    ///
    /// Without this, devhost deviates from Spin: requests that write are passed
    /// to an instance one after the other; a guest that computes yields its
    /// thread; each request stays on one thread; accepted connections have
    /// TCP_NODELAY; on SIGTERM and SIGINT, requests in flight are finished; a
    /// Redis trigger reconnects, is checked when it is silent, and has a queue of its own;
    /// variables are also read from their plain names (REDIS_URL), and hosts
    /// are derived from URLs; components share Postgres connections, which
    /// cache prepared statements; errors of Redis read as the newer driver
    /// formats them.
    #[arg(long, env = "DEVHOST_STRICT")]
    pub strict: bool,

    /// Log warnings and errors only, unless RUST_LOG says otherwise.
    #[arg(short, long)]
    pub quiet: bool,
}

impl Options {
    /// The deviations from Spin.
    pub fn deviations(&self) -> Deviations {
        Deviations::new(self.strict)
    }

    /// The limits of instances.
    pub fn reuse_limits(&self) -> ReuseLimits {
        ReuseLimits {
            requests: self.max_instance_reuse_count,
            concurrent: self.max_instance_concurrent_reuse_count,
            idle: self.idle_instance_timeout,
            request_timeout: self.request_timeout,
        }
    }
}

fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// The first address of a name, where the loopback of IPv4 comes first.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let addresses = text.to_socket_addrs().map_err(|error| error.to_string())?;
    let is_other = |address: &SocketAddr| !(address.is_ipv4() && address.ip().is_loopback());
    let first = addresses.min_by_key(is_other);
    first.ok_or_else(|| format!("{text} has no address"))
}

fn parse_variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("it is not of the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_spins() {
        let options = Options::parse_from(["devhost"]);
        assert_eq!(options.max_instance_reuse_count, Limit::Fixed(128));
        assert_eq!(
            options.max_instance_concurrent_reuse_count,
            Limit::Fixed(16)
        );
        assert_eq!(
            options.idle_instance_timeout,
            Limit::Fixed(Duration::from_secs(1))
        );
        assert_eq!(options.request_timeout, None);
    }

    #[test]
    fn the_value_of_a_variable_may_hold_equals_signs() {
        let options = Options::parse_from(["devhost", "--variable", "a=b=c"]);
        assert_eq!(options.variables, [("a".to_owned(), "b=c".to_owned())]);
    }
}
