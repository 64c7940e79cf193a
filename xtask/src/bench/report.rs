//! The table of results.

use super::scenario::Scenario;
use super::service::Measured;

/// The result of one service in one scenario.
pub struct Row {
    scenario: Scenario,
    service: String,
    measured: Measured,
}

impl Row {
    /// The run with the median throughput is shown.
    pub fn new(scenario: Scenario, service: &str, mut runs: Vec<Measured>) -> Self {
        runs.sort_by(|a, b| a.requests_per_second.total_cmp(&b.requests_per_second));
        Self {
            scenario,
            service: service.into(),
            measured: runs[runs.len() / 2],
        }
    }
}

/// Prints the results, and the throughput of the first service as a multiple of each other.
pub fn print(rows: &[Row]) {
    println!(
        "{:<28}{:<12}{:>12}{:>11}{:>11}{:>12}{:>9}",
        "", "", "requests/s", "p50", "p99", "memory", "factor"
    );
    for scenario in Scenario::ALL {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.scenario == scenario).collect();
        for (index, row) in rows.iter().enumerate() {
            let name = if index == 0 { scenario.name() } else { "" };
            println!("{name:<28}{}{:>9}", line(row), factor(rows[0], row));
        }
    }
}

fn line(row: &Row) -> String {
    let Measured {
        requests_per_second,
        p50_ms,
        p99_ms,
        memory_bytes,
    } = row.measured;
    let memory = memory_bytes.map_or("unknown".into(), |bytes| {
        format!("{:.0} MiB", bytes as f64 / 1_048_576.0)
    });
    format!(
        "{:<12}{requests_per_second:>12.0}{p50_ms:>8.2} ms{p99_ms:>8.2} ms{memory:>12}",
        row.service
    )
}

/// How many times the throughput of this service the first one has.
fn factor(first: &Row, row: &Row) -> String {
    if std::ptr::eq(first, row) {
        return String::new();
    }
    format!(
        "{:.2} x",
        first.measured.requests_per_second / row.measured.requests_per_second
    )
}
