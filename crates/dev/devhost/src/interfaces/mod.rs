//! The interfaces that a guest can import, in addition to those of WASI.
//!
//! # Layout
//!
//! * [`redis`] – `spin:redis`
//! * [`postgres`] – `spin:postgres`
//! * `variables` – `spin:variables`
//! * [`outgoing_http`] – `wasi:http`, where a guest is the client

pub mod outgoing_http;
pub mod postgres;
pub mod redis;
mod variables;
