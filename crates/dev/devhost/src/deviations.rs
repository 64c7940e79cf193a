//! Where devhost deviates from Spin.

/// The deviations from Spin: on by default, off with `--strict`.
#[derive(Clone, Copy, Debug)]
pub struct Deviations {
    /// Requests that write are passed to an instance one after the other.
    pub queue_writes: bool,
    /// A guest that computes yields its thread at every tick of the epoch.
    pub yield_while_computing: bool,
    /// A request and its instance stay on one thread.
    pub event_loops: bool,
    /// Short responses do not wait for the client's delayed acknowledgement.
    pub tcp_nodelay: bool,
    /// On SIGTERM and SIGINT, requests in flight are finished.
    pub drain: bool,
    /// A Redis trigger reconnects, where Spin ends.
    pub reconnect: bool,
    /// A Redis subscription that is silent is checked, and its components are
    /// called with an empty message then and when it has connected.
    pub check_subscriptions: bool,
    /// Each Redis trigger has a subscription and a queue of its own, where Spin
    /// has one for each address.
    pub subscription_per_trigger: bool,
    /// Variables are also read from their plain names in the environment, and
    /// `redis_host`, `redis_database` and `database_host` follow from the URLs.
    pub plain_variables: bool,
    /// The components share pools of Postgres connections, one for each address
    /// and event loop, where Spin has one for each address and component.
    pub shared_pools: bool,
    /// Postgres connections cache prepared statements, and are closed if a call
    /// was dropped before its response.
    pub managed_connections: bool,
    /// Errors of Redis read as the driver formats them, not as Spin's older
    /// driver does.
    pub driver_error_texts: bool,
}

impl Deviations {
    /// The deviations of a devhost that was started with or without `--strict`.
    pub fn new(strict: bool) -> Self {
        let on = !strict;
        Self {
            queue_writes: on,
            yield_while_computing: on,
            event_loops: on,
            tcp_nodelay: on,
            drain: on,
            reconnect: on,
            check_subscriptions: on,
            subscription_per_trigger: on,
            plain_variables: on,
            shared_pools: on,
            managed_connections: on,
            driver_error_texts: on,
        }
    }
}
