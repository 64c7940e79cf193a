//! The HTTP trigger: routes requests to components, and reuses instances.
//!
//! * [`event_loops`] accepts connections and shares them out among the cores.
//! * [`server`] answers their requests.
//! * [`routes`] finds the component for a path.
//! * [`headers`] tells the component how it was found.
//! * [`workers`] keeps instances for further requests.
//! * [`feeds`] ends endless answers when the process stops.

mod event_loops;
mod feeds;
mod headers;
mod routes;
mod server;
mod workers;

pub use self::{
    event_loops::EventLoops,
    routes::Routes,
    server::Server,
    workers::{ReuseLimits, handler},
};
