//! What readers were shown during the run: never what was out of date when they asked.

use std::collections::BTreeMap;

use super::super::history::{Attempt, History, Outcome, View};
use super::super::truth::Truth;
use super::Violations;
use super::timeline::Timeline;

/// The newest ordinal that was acknowledged at each time, of each conversation.
type Acknowledged = BTreeMap<i64, Vec<(i64, i64)>>;

pub fn check(history: &History, truth: &Truth, violations: &mut Violations) {
    let attempts = history.attempts();
    let timeline = Timeline::of(&attempts, truth);
    let acknowledged = acknowledged(&attempts, truth);
    for view in history.views() {
        check_right(&view, &timeline, violations);
        if view.status == 200 {
            check_texts(&view, &timeline, violations);
            if view.is_list {
                check_list(&view, &acknowledged, violations);
            }
        }
    }
}

fn acknowledged(attempts: &[Attempt], truth: &Truth) -> Acknowledged {
    let rows = truth
        .values()
        .flat_map(|conversation| &conversation.messages);
    let ordinals: BTreeMap<i64, i64> = rows.map(|row| (row.id, row.ordinal)).collect();
    let mut acknowledged = Acknowledged::new();
    for attempt in attempts {
        if let (Outcome::Done(_), Some(ordinal)) = (
            attempt.outcome,
            attempt.message.and_then(|id| ordinals.get(&id)),
        ) {
            let of_conversation = acknowledged.entry(attempt.conversation).or_default();
            of_conversation.push((attempt.answered, *ordinal));
        }
    }
    acknowledged
}

fn check_right(view: &View, timeline: &Timeline, violations: &mut Violations) {
    let Some(viewer) = view.viewer else { return };
    let mut absences = timeline.absences(view.conversation, viewer).iter();
    let absent =
        absences.find(|absence| absence.known < view.sent && view.answered < absence.until);
    if let Some(absence) = absent.filter(|_| view.status == 200) {
        let expected = format!("404 for {viewer}, absent in {absence:?}");
        violations.add(
            "views: right",
            view.conversation,
            expected,
            format!("{view:?}"),
        );
    }
    let takes_part = timeline.takes_part(view.conversation, viewer, view.sent, view.answered);
    if takes_part && view.status == 404 {
        let expected = format!("200 for {viewer}, who takes part");
        violations.add(
            "views: right",
            view.conversation,
            expected,
            format!("{view:?}"),
        );
    }
}

fn check_texts(view: &View, timeline: &Timeline, violations: &mut Violations) {
    for shown in &view.messages {
        let obsolete = timeline.obsolete(shown.id, shown.text);
        if obsolete.is_none_or(|obsolete| obsolete < view.sent) {
            let expected = format!("another text than {shown:?}, obsolete at {obsolete:?}");
            let found = format!(
                "asked at {}, cached: {}, {view:?}",
                view.sent, view.is_cached
            );
            violations.add("views: text", view.conversation, expected, found);
        }
    }
}

fn check_list(view: &View, acknowledged: &Acknowledged, violations: &mut Violations) {
    let gap = view
        .messages
        .windows(2)
        .find(|two| two[1].ordinal != two[0].ordinal + 1);
    if let Some(gap) = gap {
        violations.add(
            "views: gap",
            view.conversation,
            "no gap",
            format!("{gap:?}"),
        );
    }
    let known = acknowledged
        .get(&view.conversation)
        .map_or(&[][..], Vec::as_slice);
    let before = known.iter().filter(|(answered, _)| *answered < view.sent);
    let expected = before.map(|(_, ordinal)| *ordinal).max().unwrap_or(0);
    let found = view.messages.last().map_or(0, |shown| shown.ordinal);
    if found < expected {
        let found = format!(
            "{found}, cached: {}, asked at {}",
            view.is_cached, view.sent
        );
        violations.add(
            "views: newest",
            view.conversation,
            format!("{expected} or newer"),
            found,
        );
    }
}
