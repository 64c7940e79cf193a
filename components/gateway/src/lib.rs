//! The gateway: a WebSocket of a user's feed, which a GRIP proxy holds.
//!
//! The proxy sends each frame of a client as a request (WebSocket-over-HTTP), and the relay publishes
//! events to the proxy. The three functions have the shape of Spin's plan for sockets.
//!
//! # Layout
//!
//! - [`socket`]: a request of the proxy. [`new`]: a socket opens. [`frames`]: what a socket sends.
//! - [`frame`]: one frame of a client. [`answer`]: what it gets.
//! - [`straight`]: a request that came past the proxy.

mod answer;
mod frame;
mod frames;
mod new;
mod socket;
mod straight;

use messaging::api::{Route, routes};
use messaging::http_component;

/// What this component answers.
pub const ROUTES: &[Route] = routes! {
    GET "/api/v1/messages/users/:userId/socket", Oneself or with_ticket => straight::run;
    POST "/api/v1/messages/users/:userId/socket", Proxy => socket::run;
};

http_component!(ROUTES);
