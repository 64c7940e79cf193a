//! Components that are ready to run, and the state of their instances.
//!
//! # Layout
//!
//! * [`engine`]: the wasmtime engine, and what it links into guests
//! * [`component`]: a compiled and linked component
//! * [`context`]: the settings that all instances of a component share
//! * [`state`]: the data of one instance
//! * `output`: what instances print

pub mod component;
pub mod context;
pub mod engine;
mod output;
pub mod state;

pub use self::{
    component::Guest,
    context::{GuestContext, Services},
    state::{GuestState, SpinHost},
};

/// Logs why an instance ended that was `serving` some requests or messages.
pub fn log_failure(component: &str, serving: &str, error: &wasmtime::Error) {
    let cause = error.root_cause();
    tracing::error!(component, serving, trace = %error, "Instance failed: {cause}");
}
