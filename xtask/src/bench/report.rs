//! The table at the end.

use super::scenario::Scenario;
use super::side::Measured;

/// One service in one scenario.
pub struct Row {
    scenario: Scenario,
    side: String,
    measured: Measured,
}

impl Row {
    /// The run with the median throughput stands for all of them.
    pub fn new(scenario: Scenario, side: &str, mut runs: Vec<Measured>) -> Self {
        runs.sort_by(|a, b| a.requests_per_second.total_cmp(&b.requests_per_second));
        Self {
            scenario,
            side: side.into(),
            measured: runs[runs.len() / 2],
        }
    }
}

/// Prints what was measured; the first service of a scenario also as a multiple of the others.
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
        row.side
    )
}

/// How many times as much the first service does.
fn factor(first: &Row, row: &Row) -> String {
    if std::ptr::eq(first, row) {
        return String::new();
    }
    format!(
        "{:.2} x",
        first.measured.requests_per_second / row.measured.requests_per_second
    )
}
