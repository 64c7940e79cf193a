//! What starts instances of components.
//!
//! # Layout
//!
//! * [`http`] – requests
//! * [`redis`] – messages of Redis channels

pub mod http;
pub mod redis;
