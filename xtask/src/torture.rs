//! `torture`: the model of concurrency, for as long as one wants.

use anyhow::Result;
use clap::Args;
use dev_services::{Durability, Options};

use crate::{build, cargo};

/// Change conversations at random through three hosts while hosts and stores fail, then compare
/// every view.
///
/// Prints its state every ten seconds, then operations, faults and violations by kind. The tests run
/// it too, for a shorter time.
#[derive(Args)]
pub struct Arguments {
    /// How long actors and faults go on.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    minutes: f64,
    /// Repeat the choices of another run.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Only faults with one of these texts in their names.
    #[arg(long, value_name = "TEXT", value_delimiter = ',')]
    faults: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    build::run()?;
    dev_services::install_missing(&Options::from_environment(Durability::Ephemeral))?;
    let mut test = cargo::command();
    test.args([
        "test",
        "--package",
        "tests",
        "--test",
        "api",
        "torture::",
        "--",
        "--nocapture",
    ]);
    let seconds = (arguments.minutes * 60.0).ceil();
    test.env("TORTURE_SECONDS", seconds.to_string());
    if let Some(seed) = arguments.seed {
        test.env("TORTURE_SEED", seed.to_string());
    }
    if !arguments.faults.is_empty() {
        test.env("TORTURE_FAULTS", arguments.faults.join(","));
    }
    cargo::run(test)
}
