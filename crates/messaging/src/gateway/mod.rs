//! The gateway: WebSockets that a GRIP proxy holds for the service.
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
//! - `seal`: how what leaves the service comes back unchanged.

mod lease;
mod proxy;
mod seal;
mod socket;

pub use lease::SocketLease;
pub use proxy::{Proxy, control_addresses};
pub use socket::Socket;

use crate::ids::UserId;

/// The channel of a user's sockets.
#[must_use]
pub fn channel(user: UserId) -> String {
    format!("user-{user}")
}
