//! The HTTP trigger: routes requests to components, and reuses instances.
//!
//! # Layout
//!
//! * `event_loops`: accepts connections and distributes them over the cores
//! * `server`: serves connections, and answers their requests
//! * [`routes`]: finds the component for a path
//! * `headers`: the request headers that the host adds
//! * `workers`: instances, and how long they are reused
//! * `response_body`: ends event streams when the process stops

mod event_loops;
mod headers;
mod response_body;
pub mod routes;
mod server;
mod workers;

pub use self::{
    event_loops::EventLoops,
    routes::Routes,
    server::Server,
    workers::{ReuseLimits, handler},
};
