//! The log of events: one for each real change, in its order, numbered without a gap.

use super::super::truth::{Change, Conversation};
use super::Violations;

pub fn check(conversation: &Conversation, violations: &mut Violations) {
    let id = conversation.id;
    let seqs: Vec<i64> = conversation.events.iter().map(|(seq, _)| *seq).collect();
    let expected: Vec<i64> = (1..=conversation.event_seq).collect();
    violations.compare("log: seqs", id, "seqs", &expected, &seqs);
    let changes: Vec<&Change> = conversation
        .audit
        .iter()
        .map(|audited| &audited.change)
        .collect();
    let events: Vec<&Change> = conversation
        .events
        .iter()
        .map(|(_, change)| change)
        .collect();
    if changes == events {
        return;
    }
    let differs = changes
        .iter()
        .zip(&events)
        .take_while(|(change, event)| change == event)
        .count();
    let around = |side: &[&Change]| {
        format!(
            "{:?}",
            side.iter().skip(differs).take(5).collect::<Vec<_>>()
        )
    };
    violations.add(
        "log: an event for each change",
        id,
        format!(
            "{} changes, from {differs} on {}",
            changes.len(),
            around(&changes)
        ),
        format!(
            "{} events, from {differs} on {}",
            events.len(),
            around(&events)
        ),
    );
}
