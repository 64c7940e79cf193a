//! `bench`: throughput, latency and memory, compared with another service on the same stores.

mod baseline;
mod growth;
mod memory;
mod own;
mod report;
mod scenario;
mod service;
mod wrk;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use dev_services::{DirectoryLock, Durability, Options, Stores, TemporaryDirectory, progress};

use crate::{build, migrate};
use report::Row;
use scenario::Scenario;
use service::Service;

/// Measure requests per second, latency and memory with the load generator wrk.
///
/// Without --url, a release build is started and measured, with private stores or those of
/// REDIS_URL and DATABASE_URL. Any service with the same API can be measured, for instance the app
/// on the Spin CLI; it has to run with auth_mode=open.
#[derive(Args)]
pub struct Arguments {
    /// URL of a running service to measure.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Process id of that service, to measure the memory of the process and its descendants.
    #[arg(long, requires = "url")]
    pid: Option<u32>,
    /// URL of another service to compare with.
    #[arg(long, value_name = "URL")]
    baseline_url: Option<String>,
    /// Process id of the other service.
    #[arg(long, requires = "baseline_url")]
    baseline_pid: Option<u32>,
    /// Folder of a Node service to compare with; it is built and started with two workers on the
    /// same Redis and PostgreSQL.
    #[arg(long, value_name = "FOLDER", conflicts_with = "baseline_url")]
    baseline_dir: Option<PathBuf>,
    /// Duration of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Number of measurements of each scenario; the median is shown.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Number of concurrent connections.
    #[arg(long, default_value_t = 32)]
    connections: u32,
    /// Measure instead how latency grows with the size of the data; prints the median of each call at
    /// a small and at a large size.
    #[arg(long, conflicts_with_all = ["url", "baseline_url", "baseline_dir"])]
    growth: bool,
}

/// Seconds of load before each measurement.
const WARM_UP: u32 = 2;

pub async fn run(arguments: Arguments) -> Result<()> {
    if arguments.growth {
        return growth::run().await;
    }
    wrk::install_missing()?;
    let home = TemporaryDirectory::create()?;
    let stores = if arguments.needs_stores() {
        Some(start_stores(&home).await?)
    } else {
        None
    };
    let services = services(&arguments, stores.as_ref()).await?;
    let rows = measure(&arguments, &services).await?;
    report::print(&rows);
    drop(services);
    if let Some(stores) = stores {
        stores.stop().await?;
    }
    Ok(())
}

impl Arguments {
    fn needs_stores(&self) -> bool {
        self.url.is_none() || self.baseline_dir.is_some()
    }
}

/// Durable stores, as a deployed app has them.
async fn start_stores(home: &TemporaryDirectory) -> Result<Stores> {
    let stores = Stores::start(
        Options::from_environment(Durability::Durable),
        DirectoryLock::take(home.path())?,
    )
    .await?;
    migrate::apply(stores.database_url()).await?;
    Ok(stores)
}

async fn services(arguments: &Arguments, stores: Option<&Stores>) -> Result<Vec<Service>> {
    let mut services = vec![first(arguments, stores).await?];
    services.extend(baseline(arguments, stores).await?);
    for service in &mut services {
        service
            .prepare()
            .await
            .with_context(|| format!("cannot prepare {} at {}", service.name, service.url))?;
    }
    Ok(services)
}

async fn first(arguments: &Arguments, stores: Option<&Stores>) -> Result<Service> {
    if let Some(url) = &arguments.url {
        return Ok(Service::running("this app", url, arguments.pid));
    }
    build::run()?;
    own::start(stores.context("there are no stores for the app")?).await
}

async fn baseline(arguments: &Arguments, stores: Option<&Stores>) -> Result<Option<Service>> {
    if let Some(url) = &arguments.baseline_url {
        let service = Service::running("baseline", url, arguments.baseline_pid);
        return Ok(Some(service));
    }
    let Some(folder) = &arguments.baseline_dir else {
        return Ok(None);
    };
    let stores = stores.context("there are no stores for the baseline")?;
    baseline::start(folder, stores).await.map(Some)
}

/// The services are measured in turn, so that other load on the machine affects all of them.
async fn measure(arguments: &Arguments, services: &[Service]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for scenario in Scenario::ALL {
        let mut measured: Vec<&Service> = Vec::new();
        for service in services {
            if service.offers(scenario).await? {
                measured.push(service);
            }
        }
        rows.extend(measure_scenario(arguments, scenario, &measured)?);
    }
    Ok(rows)
}

fn measure_scenario(
    arguments: &Arguments,
    scenario: Scenario,
    services: &[&Service],
) -> Result<Vec<Row>> {
    let mut runs = vec![Vec::new(); services.len()];
    for _ in 0..arguments.rounds.max(1) {
        for (service, runs) in services.iter().zip(&mut runs) {
            progress(format_args!(
                "measuring {}: {}",
                service.name,
                scenario.name()
            ));
            service.load(scenario, arguments.connections, WARM_UP)?;
            runs.push(service.load(scenario, arguments.connections, arguments.seconds)?);
        }
    }
    let rows = services.iter().zip(runs);
    Ok(rows
        .map(|(service, runs)| Row::new(scenario, &service.name, runs))
        .collect())
}
