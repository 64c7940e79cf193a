//! Webhooks: events for receivers outside of the service.
//!
//! PostgreSQL knows what has to be sent: the relay queues it in the statement in which it records its
//! progress, so that no crash is between the two. Workers share the receivers by a consumer group on a
//! stream in Redis; a lease in PostgreSQL lets one of them at a time send to a receiver, each conversation's
//! events in their order and many conversations at once. The stream only spreads the work: it is filled
//! again from PostgreSQL whenever a worker begins.
//!
//! # Layout
//!
//! - [`Address`], [`Secret`], [`Schedule`]: values that carry their rules.
//! - `registrations`, `deliveries`: what the API shows and changes.
//! - `queue`: the stream in Redis. `store`: what workers read and write in PostgreSQL.
//! - [`run`]: a worker. `receiver`: what it does for one receiver. `event`: what it sends.

mod address;
mod deliveries;
mod event;
mod queue;
mod receiver;
mod registrations;
mod schedule;
mod secret;
mod store;
mod worker;

pub use address::Address;
pub use deliveries::{Counts, Deliveries, Delivery, State, count, list_deliveries, redeliver};
pub use queue::{enqueue, wake_up_if_due};
pub use registrations::{
    Created, MAX_WEBHOOKS, Registration, Rotated, Webhook, create, delete, get, list, rotate,
};
pub use schedule::Schedule;
pub use secret::Secret;
pub use worker::run;
