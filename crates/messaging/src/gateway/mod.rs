//! The gateway: WebSockets and event streams that a GRIP proxy holds for the service.
//!
//! A proxy in front passes each frame of a client on as a request, and the relay publishes events to
//! the proxy. So an open socket costs the service a key in Redis and a request now and then.
//!
//! # Layout
//!
//! - [`Proxy`]: the operator's settings. Only a request with a valid signature comes from the proxy.
//! - [`Socket`]: what is known of one socket. The proxy keeps it, sealed, and sends it with each
//!   request.
//! - [`SocketLease`]: the sockets that a user has open.
//! - [`HeldStream`]: what is known of one event stream that the proxy holds, in the link by which the
//!   proxy asks for more.
//! - [`Channel`]: to what the relay publishes events. [`Notice`]: what else it publishes;
//!   [`rights`]: of revocations.
//! - `seal`: how what leaves the service comes back unchanged.

mod channel;
mod held;
mod lease;
mod notice;
mod proxy;
pub mod rights;
mod seal;
mod socket;

pub use channel::Channel;
pub use held::{HeldStream, Source};
pub use lease::SocketLease;
pub use notice::{Notice, notify};
pub use proxy::{Proxy, control_addresses};
pub use socket::Socket;

use std::time::SystemTime;

/// Unix milliseconds.
fn milliseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default().as_millis();
    u64::try_from(since).unwrap_or(u64::MAX)
}
