//! The HTTP trigger: routes requests to components, and reuses instances.
//!
//! * [`server`] accepts connections and answers requests.
//! * [`routes`] finds the component for a path.
//! * [`headers`] tells the component how it was found.
//! * [`workers`] keeps instances for further requests.
//! * [`feeds`] ends endless answers when the process stops.

mod feeds;
mod headers;
mod routes;
mod server;
mod workers;

pub use self::{
    routes::Routes,
    server::Server,
    workers::{ReuseLimits, handler},
};
