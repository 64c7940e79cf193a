//! The API of the service, on devhost with real stores: one module per area.
//!
//! `cargo xtask test --test AREA` runs the tests of one module.

mod access;
mod analytics;
mod assistant;
mod collisions;
mod conversations;
mod events;
mod gateway;
mod growth;
mod health;
mod http;
mod lost_acknowledgements;
mod messages;
mod migrations;
mod model;
mod older_stores;
mod openapi;
mod outages;
mod presence;
mod receipts;
mod records;
mod relay;
mod routes;
mod sealing;
mod search;
mod sessions;
mod system_messages;
mod torture;
mod typing;
mod webhooks;
