//! Puts an app together from its manifest.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};

use crate::{
    engine,
    guest::{Guest, GuestContext, Services},
    http::{Routes, Server, handler},
    manifest::{Manifest, Route},
    options::Options,
    postgres_host,
    redis_client::RedisClient,
    redis_trigger::RedisTrigger,
    runtime_config,
    shutdown::Drain,
    variables::Variables,
};

/// An app whose components are compiled.
pub struct App {
    /// Serve its HTTP triggers, one on each event loop.
    pub servers: Vec<Server>,
    /// Its Redis triggers, not yet subscribed.
    pub redis_triggers: Vec<RedisTrigger>,
}

impl App {
    /// Reads the manifest and loads everything that it names.
    pub fn load(options: &Options, drain: &Drain) -> Result<Self> {
        if let Some(file) = &options.runtime_config_file {
            runtime_config::check(file)?;
        }
        let path = manifest_path(options);
        let manifest = Manifest::read(&path)?;
        let invalid = || format!("{} is not valid", path.display());
        let variables = Variables::resolve(&manifest, &options.variables, |name| {
            std::env::var(name).ok()
        })
        .with_context(|| format!("could not start `{}`", manifest.application.name))?;
        let services = Arc::new(Services {
            postgres_pool_size: postgres_host::POOL_SIZE.div_ceil(options.event_loops.get()),
            redis: RedisClient::new(Duration::from_millis(options.redis_keep_alive)),
        });
        let folder = path.parent().unwrap_or(Path::new("."));
        let contexts = contexts(&manifest, &variables, &services).with_context(invalid)?;
        let guests = load_guests(&manifest, contexts, folder, &cache_dir(options, folder))?;
        let guest = |id: &str| {
            guests
                .get(id)
                .cloned()
                .ok_or_else(|| anyhow!("no component `{id}`"))
        };
        let servers =
            (0..options.event_loops.get()).map(|_| server(&manifest, options, drain, guest));
        Ok(Self {
            servers: servers.collect::<Result<_>>().with_context(invalid)?,
            redis_triggers: RedisTrigger::all(&manifest, &variables, &services, guest)
                .with_context(invalid)?,
        })
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
    options
        .cache_dir
        .clone()
        .unwrap_or_else(|| folder.join(".lexiflow/compiled"))
}

fn contexts(
    manifest: &Manifest,
    variables: &Variables,
    services: &Arc<Services>,
) -> Result<BTreeMap<String, GuestContext>> {
    let context = |(id, component)| {
        Ok((
            String::clone(id),
            GuestContext::new(id, component, variables, services.clone())?,
        ))
    };
    manifest.components.iter().map(context).collect()
}

/// Compiles all components at once: that is most of the time of a first start.
fn load_guests(
    manifest: &Manifest,
    contexts: BTreeMap<String, GuestContext>,
    folder: &Path,
    cache_dir: &Path,
) -> Result<BTreeMap<String, Arc<Guest>>> {
    let start = Instant::now();
    let engine = engine::engine(cache_dir)?;
    let linker = engine::linker(&engine)?;
    let guests = thread::scope(|scope| {
        let loading: Vec<_> = contexts
            .into_iter()
            .map(|(id, context)| {
                let source = folder.join(&manifest.components[&id].source);
                let (engine, linker) = (&engine, &linker);
                (
                    id,
                    scope.spawn(move || Guest::load(engine, linker, &source, context)),
                )
            })
            .collect();
        loading
            .into_iter()
            .map(|(id, guest)| {
                let guest = guest
                    .join()
                    .map_err(|_| anyhow!("compiling `{id}` panicked"))??;
                Ok((id, Arc::new(guest)))
            })
            .collect::<Result<BTreeMap<_, _>>>()
    })?;
    tracing::debug!(
        "Loaded {} components in {:?}",
        guests.len(),
        start.elapsed()
    );
    Ok(guests)
}

fn server(
    manifest: &Manifest,
    options: &Options,
    drain: &Drain,
    guest: impl Fn(&str) -> Result<Arc<Guest>>,
) -> Result<Server> {
    // Triggers of one component share its instances.
    let mut handlers = BTreeMap::new();
    let mut routes = Vec::new();
    for trigger in &manifest.triggers.http {
        let Route::Public(route) = &trigger.route else {
            continue;
        };
        let id = &trigger.component;
        if !handlers.contains_key(id) {
            let handler = handler(guest(id)?, options.reuse_limits(), drain.clone());
            handlers.insert(
                id.clone(),
                handler.with_context(|| format!("component `{id}`"))?,
            );
        }
        routes.push((route.clone(), handlers[id].clone()));
    }
    Ok(Server::new(Routes::new(routes)?, drain.clone()))
}
