//! Builds an app from its manifest.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};

use crate::{
    config::{
        identifier::ComponentId,
        manifest::{Manifest, component::Component},
        runtime_config,
        variables::{Sources, Variables},
    },
    guest::{Guest, GuestContext, Services, engine},
    interfaces::postgres,
    options::Options,
    redis_client::RedisClient,
    shutdown::Drain,
    triggers::{
        http::{Routes, Server, handler},
        redis::{Subscriber, subscribers},
    },
};

/// An app whose components are compiled.
pub struct App {
    /// The HTTP servers, one for each event loop; a single one with `--strict`.
    pub servers: Vec<Server>,
    /// The subscribers of its Redis triggers, not yet connected.
    pub subscribers: Vec<Subscriber>,
}

/// The components, by id.
type Guests = BTreeMap<ComponentId, Arc<Guest>>;

impl App {
    /// Reads the manifest, and loads the files that it names.
    pub fn load(options: &Options, drain: &Drain) -> Result<Self> {
        if let Some(file) = &options.runtime_config_file {
            runtime_config::check(file)?;
        }
        let path = manifest_path(options);
        let manifest = Manifest::read(&path)?;
        let invalid = || format!("{} is not valid", path.display());
        Self::build(&manifest, &path, options, drain).with_context(invalid)
    }

    fn build(manifest: &Manifest, path: &Path, options: &Options, drain: &Drain) -> Result<Self> {
        let variables = variables(manifest, options)?;
        let services = Arc::new(services(options));
        let contexts = contexts(manifest, &variables, &services)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let guests = load_guests(manifest, contexts, folder, &cache_dir(options, folder))?;
        let find = |id: &ComponentId| find_guest(&guests, id);
        let servers = (0..servers(options)).map(|_| server(manifest, options, drain, find));
        Ok(Self {
            servers: servers.collect::<Result<_>>()?,
            subscribers: subscribers(manifest, &variables, &services, find)?,
        })
    }
}

/// One server for each event loop, or one for all threads.
fn servers(options: &Options) -> usize {
    if options.deviations().event_loops {
        options.event_loops.get()
    } else {
        1
    }
}

fn manifest_path(options: &Options) -> PathBuf {
    let given = &options.manifest;
    if given.is_dir() {
        given.join("spin.toml")
    } else {
        given.clone()
    }
}

fn cache_dir(options: &Options, folder: &Path) -> PathBuf {
    let default = || folder.join(".lexiflow/compiled");
    options.cache_dir.clone().unwrap_or_else(default)
}

fn variables(manifest: &Manifest, options: &Options) -> Result<Variables> {
    let sources = Sources {
        given: &options.variables,
        env: |name: &str| std::env::var(name).ok(),
        plain_names: options.deviations().plain_variables,
    };
    Variables::resolve(manifest, &sources)
}

fn services(options: &Options) -> Services {
    let keep_alive = Duration::from_millis(options.redis_keep_alive);
    Services {
        deviations: options.deviations(),
        postgres_pool_size: postgres::POOL_SIZE.div_ceil(servers(options)),
        redis: RedisClient::new(keep_alive),
    }
}

fn contexts(
    manifest: &Manifest,
    variables: &Variables,
    services: &Arc<Services>,
) -> Result<BTreeMap<ComponentId, GuestContext>> {
    let context = |(id, component): (&ComponentId, &Component)| {
        let context = GuestContext::new(id, component, variables, services.clone())?;
        Ok((id.clone(), context))
    };
    manifest.components.iter().map(context).collect()
}

/// Compiles all components in parallel: that takes most of the time of a first
/// start.
fn load_guests(
    manifest: &Manifest,
    contexts: BTreeMap<ComponentId, GuestContext>,
    folder: &Path,
    cache_dir: &Path,
) -> Result<Guests> {
    let start = Instant::now();
    let engine = engine::engine(cache_dir)?;
    let linker = engine::linker(&engine)?;
    let load = |(id, context): (ComponentId, GuestContext)| {
        let source = folder.join(&manifest.components[&id].source);
        let guest = Guest::load(&engine, &linker, &source, context)?;
        Ok((id, Arc::new(guest)))
    };
    let guests: Guests = thread::scope(|scope| {
        let start = |component| scope.spawn(|| load(component));
        let loading: Vec<_> = contexts.into_iter().map(start).collect();
        let panicked = |_| Err(anyhow!("compiling a component panicked"));
        let loaded = loading
            .into_iter()
            .map(|guest| guest.join().unwrap_or_else(panicked));
        loaded.collect::<Result<_>>()
    })?;
    tracing::debug!(
        "Loaded {} components in {:?}",
        guests.len(),
        start.elapsed()
    );
    Ok(guests)
}

fn find_guest(guests: &Guests, id: &ComponentId) -> Result<Arc<Guest>> {
    let found = guests.get(id).cloned();
    found.ok_or_else(|| anyhow!("there is no component `{id}`"))
}

fn server(
    manifest: &Manifest,
    options: &Options,
    drain: &Drain,
    guest: impl Fn(&ComponentId) -> Result<Arc<Guest>>,
) -> Result<Server> {
    // Triggers of one component share its instances.
    let mut handlers = BTreeMap::new();
    let mut routes = Vec::new();
    for trigger in &manifest.triggers.http {
        let Some(route) = &trigger.route else {
            continue;
        };
        let id = &trigger.component;
        if !handlers.contains_key(id) {
            let handler = handler(guest(id)?, options, drain.clone());
            handlers.insert(id, handler.with_context(|| format!("component `{id}`"))?);
        }
        routes.push((route.clone(), handlers[id].clone()));
    }
    let nodelay = options.deviations().tcp_nodelay;
    Ok(Server::new(Routes::new(routes)?, drain.clone(), nodelay))
}
