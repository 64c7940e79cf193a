//! The load generator wrk.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use dev_services::apt;
use serde::Deserialize;

use crate::{cargo, workspace};

/// The line of JSON that the script prints at the end.
#[derive(Debug, Deserialize)]
pub struct Run {
    pub requests: f64,
    pub seconds: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// Responses with status 400 and above.
    refused: u64,
    /// Connections that failed or timed out.
    broken: u64,
}

pub fn install_missing() -> Result<()> {
    if apt::program("wrk").is_none() {
        apt::install(&["wrk"], "the benchmark's load generator")?;
    }
    Ok(())
}

pub fn get(url: &str, connections: u32, seconds: u32) -> Result<Run> {
    run(url, connections, seconds, &[])
}

/// Posts messages to these conversations in turn.
pub fn post(url: &str, conversations: &[i64], connections: u32, seconds: u32) -> Result<Run> {
    let ids: Vec<String> = conversations.iter().map(ToString::to_string).collect();
    run(url, connections, seconds, &ids)
}

fn run(url: &str, connections: u32, seconds: u32, ids: &[String]) -> Result<Run> {
    let mut wrk = Command::new("wrk");
    wrk.args([
        "--threads",
        "1",
        "--connections",
        &connections.to_string(),
        "--duration",
        &format!("{seconds}s"),
    ]);
    wrk.arg("--script")
        .arg(workspace::root().join("xtask/src/bench/load.lua"));
    wrk.arg(url).arg("--").args(ids);
    let output = cargo::output(wrk)?;
    let run: Run = parse(&output)?;
    ensure!(
        run.refused == 0,
        "{} of {} responses were errors",
        run.refused,
        run.requests
    );
    ensure!(
        run.broken == 0,
        "{} connections failed or timed out",
        run.broken
    );
    ensure!(run.requests > 0.0, "there was no response");
    Ok(run)
}

fn parse(output: &str) -> Result<Run> {
    let line = output
        .lines()
        .rev()
        .find(|line| line.starts_with('{'))
        .context("wrk printed no result")?;
    serde_json::from_str(line).with_context(|| format!("cannot read wrk's result {line}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_result_is_found_in_the_output_of_wrk() {
        let output = "Running 10s test\n  1 threads\n{\"requests\":20,\"seconds\":2.0,\"p50_us\":900,\"p99_us\":1200,\"refused\":0,\"broken\":0}\n";
        let run = super::parse(output).unwrap();
        assert_eq!((run.requests, run.p99_us), (20.0, 1200.0));
    }
}
