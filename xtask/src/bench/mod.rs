//! `bench`: how fast the service is, beside another one on the same stores.

mod baseline;
mod memory;
mod own;
mod report;
mod scenario;
mod server;
mod side;
mod wrk;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use dev_services::{DirectoryLock, Durability, Options, Stores, TemporaryDirectory};

use crate::{build, migrate};
use report::Row;
use scenario::Scenario;
use side::Side;

/// Measure requests per second, latency and memory, by the load generator wrk.
///
/// Without --url, a release build is started with stores of its own (those of REDIS_URL and
/// DATABASE_URL where they are set) and measured. Any service with the same API can be measured,
/// the app under the Spin CLI too: it has to run with auth_mode=open.
#[derive(Args)]
pub struct Arguments {
    /// The service to measure, instead of one that is started for it.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Its process, for the memory that it and its children hold.
    #[arg(long, requires = "url")]
    pid: Option<u32>,
    /// Another service, measured in turn with the first.
    #[arg(long, value_name = "URL")]
    baseline_url: Option<String>,
    /// Its process.
    #[arg(long, requires = "baseline_url")]
    baseline_pid: Option<u32>,
    /// A folder with a Node service, built and started with two workers on the same Redis and
    /// PostgreSQL, and measured in turn with the first.
    #[arg(long, value_name = "FOLDER", conflicts_with = "baseline_url")]
    baseline_dir: Option<PathBuf>,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// How often each is repeated; the median is shown.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    #[arg(long, default_value_t = 32)]
    connections: u32,
}

/// Two seconds of load before what counts.
const WARM_UP: u32 = 2;

pub async fn run(arguments: Arguments) -> Result<()> {
    wrk::install_missing()?;
    let home = TemporaryDirectory::create()?;
    let stores = if arguments.needs_stores() {
        Some(start_stores(&home).await?)
    } else {
        None
    };
    let sides = sides(&arguments, stores.as_ref()).await?;
    let rows = measure(&arguments, &sides).await?;
    report::print(&rows);
    drop(sides);
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

/// Stores that write to the disk as those of a deployed app do.
async fn start_stores(home: &TemporaryDirectory) -> Result<Stores> {
    let stores = Stores::start(
        Options::from_environment(Durability::Kept),
        DirectoryLock::take(home.path())?,
    )
    .await?;
    migrate::apply(stores.database_url()).await?;
    Ok(stores)
}

async fn sides(arguments: &Arguments, stores: Option<&Stores>) -> Result<Vec<Side>> {
    let mut sides = Vec::new();
    match (&arguments.url, stores) {
        (Some(url), _) => sides.push(Side::given("this app", url, arguments.pid)),
        (None, stores) => {
            build::run()?;
            sides.push(
                own::start(stores.context("there are no stores to start the app with")?).await?,
            );
        }
    }
    if let Some(url) = &arguments.baseline_url {
        sides.push(Side::given("baseline", url, arguments.baseline_pid));
    }
    if let Some(folder) = &arguments.baseline_dir {
        sides.push(
            baseline::start(
                folder,
                stores.context("there are no stores to start the baseline with")?,
            )
            .await?,
        );
    }
    for side in &mut sides {
        side.prepare()
            .await
            .with_context(|| format!("cannot prepare {} at {}", side.name, side.url))?;
    }
    Ok(sides)
}

/// The sides take turns, so that what else the machine does falls on both.
async fn measure(arguments: &Arguments, sides: &[Side]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for scenario in Scenario::ALL {
        let mut sides_of: Vec<&Side> = Vec::new();
        for side in sides {
            if side.offers(scenario).await? {
                sides_of.push(side);
            }
        }
        rows.extend(measure_scenario(arguments, scenario, &sides_of)?);
    }
    Ok(rows)
}

fn measure_scenario(
    arguments: &Arguments,
    scenario: Scenario,
    sides: &[&Side],
) -> Result<Vec<Row>> {
    let mut measured = vec![Vec::new(); sides.len()];
    for _ in 0..arguments.rounds.max(1) {
        for (side, measured) in sides.iter().zip(&mut measured) {
            dev_services::say(format_args!("measuring {}: {}", side.name, scenario.name()));
            side.load(scenario, arguments.connections, WARM_UP)?;
            measured.push(side.load(scenario, arguments.connections, arguments.seconds)?);
        }
    }
    Ok(sides
        .iter()
        .zip(measured)
        .map(|(side, measured)| Row::new(scenario, &side.name, measured))
        .collect())
}
