//! The settings that all instances of a component share.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result};

use crate::{
    config::{
        allowed_hosts::{AllowedHosts, Destination},
        identifier::ComponentId,
        manifest::component::Component,
        variables::Variables,
    },
    deviations::Deviations,
    interfaces::postgres::Pools,
    redis_client::RedisClient,
};

/// The settings that all instances of a component share.
pub struct GuestContext {
    /// The component's id.
    pub id: Arc<str>,
    /// The values of its variables.
    pub variables: BTreeMap<String, String>,
    /// The addresses it may connect to.
    pub allowed_hosts: AllowedHosts,
    /// What all components share.
    pub services: Arc<Services>,
    /// Its environment variables.
    pub environment: Vec<(String, String)>,
    /// Its pools of Postgres connections, if components share none.
    pub postgres_pools: Mutex<Pools>,
}

/// What all components share.
pub struct Services {
    /// The deviations from Spin.
    pub deviations: Deviations,
    /// Postgres connections of one pool.
    pub postgres_pool_size: usize,
    /// Opens Redis connections.
    pub redis: RedisClient,
}

impl GuestContext {
    /// Reads a component's settings from the manifest.
    pub fn new(
        id: &ComponentId,
        component: &Component,
        variables: &Variables,
        services: Arc<Services>,
    ) -> Result<Self> {
        let in_component = || format!("component `{id}`");
        let allowed_hosts = AllowedHosts::parse(&component.allowed_outbound_hosts, variables);
        let values = variables.expand_all(&component.variables);
        Ok(Self {
            id: id.as_str().into(),
            variables: values.with_context(in_component)?,
            allowed_hosts: allowed_hosts.with_context(in_component)?,
            services,
            environment: component.environment.clone().into_iter().collect(),
            postgres_pools: Mutex::default(),
        })
    }

    /// Whether the component may connect to `destination`. If not, the log
    /// names the entry that would allow it.
    pub fn may_connect(&self, destination: &Destination) -> bool {
        let allowed = self.allowed_hosts.allow(destination);
        if !allowed {
            tracing::warn!(
                component = %self.id,
                "Connection to {destination} refused: to allow it, add \"{destination}\" to \
                 allowed_outbound_hosts of component `{}`",
                self.id
            );
        }
        allowed
    }
}
