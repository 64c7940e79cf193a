//! What is printed: progress, the summary, and violations with both sides.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::history::Outcome;
use super::plan::Plan;
use super::reader::{Readers, What};
use super::world::{World, now};

/// How many violations of each check are shown in full.
const SHOWN: usize = 4;
/// How much of each side.
const SIDE: usize = 1_500;

/// Two views that do not agree.
#[derive(Debug, Clone)]
pub struct Violation {
    pub check: &'static str,
    pub conversation: Option<i64>,
    pub expected: String,
    pub found: String,
}

/// Prints the state of the run every ten seconds.
pub async fn progress(world: Arc<World>) {
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let seconds = (now() - world.started) / 1_000_000;
        let operations: usize = world.history.outcomes().values().sum();
        let faults = world.history.faults().len();
        let phase = if world.goes_on() { "" } else { ", checks" };
        eprintln!("torture: {seconds} s{phase}: {operations} operations, {faults} faults");
    }
}

/// Prints operations, faults and violations by kind.
pub fn summary(world: &World, readers: &Readers, violations: &[Violation]) {
    eprintln!("torture: operations by kind and outcome");
    let mut kinds: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((kind, outcome), count) in world.history.outcomes() {
        let outcome = match outcome {
            Outcome::Done(status) | Outcome::Refused(status) => status.to_string(),
            Outcome::Unknown => "unknown".into(),
        };
        kinds
            .entry(kind)
            .or_default()
            .push(format!("{outcome}: {count}"));
    }
    for (kind, outcomes) in kinds {
        eprintln!("  {:<21} {}", format!("{kind:?}"), outcomes.join(", "));
    }
    eprintln!("torture: faults");
    let faults = world.history.faults();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in &faults {
        *counts.entry(fault.name).or_default() += 1;
    }
    for (fault, count) in counts {
        eprintln!("  {fault}: {count}");
    }
    if !violations.is_empty() {
        // Their times show which faults a violation met.
        for fault in &faults {
            eprintln!("  from {} to {}: {}", fault.from, fault.to, fault.name);
        }
    }
    let items = readers
        .all()
        .iter()
        .map(|reader| reader.items())
        .collect::<Vec<_>>();
    let resyncs = items
        .iter()
        .flatten()
        .filter(|item| matches!(item.what, What::Resync))
        .count();
    let (feeds, events) = (items.len(), items.iter().map(Vec::len).sum::<usize>());
    eprintln!("torture: {events} items in {feeds} feeds, {resyncs} of them resync");
    let mut checks: BTreeMap<&str, usize> = BTreeMap::new();
    for violation in violations {
        *checks.entry(violation.check).or_default() += 1;
    }
    eprintln!("torture: {} violations {checks:?}", violations.len());
}

/// The message of a failure.
pub fn failure(plan: &Plan, violations: &[Violation]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let first = violations.iter().filter(|violation| {
        let count = counts.entry(violation.check).or_default();
        *count += 1;
        *count <= SHOWN
    });
    let shown = first.map(|violation| {
        let conversation = violation
            .conversation
            .map(|id| format!(" in conversation {id}"));
        format!(
            "{}{}\n  expected: {}\n  found:    {}\n",
            violation.check,
            conversation.unwrap_or_default(),
            shorten(&violation.expected),
            shorten(&violation.found)
        )
    });
    let shown: String = shown.collect();
    format!("{} violations; {plan}\n{shown}", violations.len())
}

fn shorten(text: &str) -> &str {
    &text[..text.floor_char_boundary(SIDE)]
}
