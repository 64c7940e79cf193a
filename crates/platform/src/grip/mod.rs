//! GRIP: how a proxy that holds connections talks with the service behind it
//! (<https://pushpin.org/docs/protocols/grip/>).
//!
//! # Layout
//!
//! - [`SocketEvent`]: the events of WebSocket-over-HTTP, in requests and responses.
//! - [`Control`]: what a response asks of the proxy. [`text_frame`] and [`Control::frame`] keep the two
//!   apart, however a text begins.
//! - [`mod@hold`]: how a response asks the proxy to hold the stream that it begins.
//! - [`Item`], [`publish_body`]: what is published to a channel.

mod control;
mod events;
mod hold;
mod publish;

pub use control::{Control, EXTENSION, EXTENSION_VALUE, text_frame};
pub use events::{InvalidEvents, SocketEvent, parse_events, write_events};
pub use hold::{Link, Subscription, go_on, hold, last_of};
pub use publish::{Content, Item, publish_body};

/// The media type of WebSocket-over-HTTP. Proxies compare it byte for byte.
pub const SOCKET_EVENTS: &str = "application/websocket-events";
