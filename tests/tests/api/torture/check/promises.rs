//! What callers were told: what was acknowledged took effect exactly once, what was not, at most
//! once, and what was refused, not at all.

use std::collections::BTreeMap;

use super::super::history::{Attempt, Kind, Outcome};
use super::super::truth::{Audited, Truth};
use super::Violations;

const CHECK: &str = "promises";

type Effects<'a> = BTreeMap<(&'a str, u32), Vec<(i64, &'a Audited)>>;

pub fn check(attempts: &[Attempt], truth: &Truth, violations: &mut Violations) {
    let effects = effects_by_text(truth);
    let mut texts: BTreeMap<u32, Vec<&Attempt>> = BTreeMap::new();
    for attempt in attempts {
        match attempt.text {
            Some(text) => texts.entry(text).or_default().push(attempt),
            None => check_effect(attempt, truth, violations),
        }
    }
    for (text, attempts) in texts {
        check_text(text, &attempts, &effects, violations);
    }
}

fn effects_by_text(truth: &Truth) -> Effects<'_> {
    let mut effects = Effects::new();
    for conversation in truth.values() {
        for audited in &conversation.audit {
            if let Some(text) = audited.text {
                let key = (&*audited.change.kind, text);
                effects
                    .entry(key)
                    .or_default()
                    .push((conversation.id, audited));
            }
        }
    }
    effects
}

/// All attempts with one text are one post, edit or new conversation.
fn check_text(text: u32, attempts: &[&Attempt], effects: &Effects, violations: &mut Violations) {
    let first = attempts[0];
    let kind = match first.kind {
        Kind::Edit => "message-edited",
        Kind::Create => "conversation-created",
        _ => "new-message",
    };
    let effects = effects.get(&(kind, text)).map_or(&[][..], Vec::as_slice);
    let done = attempts
        .iter()
        .any(|attempt| matches!(attempt.outcome, Outcome::Done(_)));
    let refused = attempts
        .iter()
        .all(|attempt| matches!(attempt.outcome, Outcome::Refused(_)));
    let is_right = match effects.len() {
        0 => !done,
        1 => !refused,
        _ => false,
    };
    if !is_right {
        let expected = if done {
            "exactly one effect"
        } else {
            "at most one effect, none if refused"
        };
        let expected = format!("{expected} of {attempts:?}");
        violations.add(CHECK, first.conversation, expected, format!("{effects:?}"));
    }
    for attempt in attempts {
        check_id(attempt, effects, violations);
    }
}

/// The message of the response is the one that was written.
fn check_id(attempt: &Attempt, effects: &[(i64, &Audited)], violations: &mut Violations) {
    let (Outcome::Done(_), [(conversation, audited)]) = (attempt.outcome, effects) else {
        return;
    };
    let is_creation = attempt.kind == Kind::Create;
    let right = is_creation
        || (attempt.conversation == *conversation && attempt.message == audited.change.message);
    if !right {
        violations.add(
            CHECK,
            attempt.conversation,
            format!("{attempt:?}"),
            format!("{audited:?}"),
        );
    }
}

/// A change without a text that was acknowledged is found in its conversation.
fn check_effect(attempt: &Attempt, truth: &Truth, violations: &mut Violations) {
    let (Outcome::Done(status), Some(conversation)) =
        (attempt.outcome, truth.get(&attempt.conversation))
    else {
        return;
    };
    let happened = |kind: &str, since: i64| {
        conversation.audit.iter().any(|audited| {
            audited.change.kind == kind
                && (kind == "message-deleted" || audited.change.user == attempt.user)
                && (kind != "message-deleted" || audited.change.message == attempt.message)
                && (since..=attempt.answered).contains(&audited.at)
        })
    };
    let is_right = match (attempt.kind, status) {
        (Kind::Delete, _) => happened("message-deleted", 0),
        (Kind::Join, 201) => happened("participant-joined", attempt.sent),
        (Kind::Leave, _) => happened("participant-left", attempt.sent),
        (Kind::Read, _) => has_read(attempt, truth),
        _ => true,
    };
    if !is_right {
        violations.add(
            CHECK,
            attempt.conversation,
            format!("an effect of {attempt:?}"),
            "none",
        );
    }
}

/// The reader's cursor is at the message or after it.
fn has_read(attempt: &Attempt, truth: &Truth) -> bool {
    let conversation = &truth[&attempt.conversation];
    let user = attempt.user.unwrap_or(0);
    let found = conversation
        .messages
        .iter()
        .find(|row| Some(row.id) == attempt.message);
    let present = conversation
        .participants
        .get(&user)
        .map(|cursor| cursor.read);
    let former = conversation
        .former
        .get(&user)
        .map(|(cursor, _)| cursor.read);
    found.is_some_and(|row| present.or(former).is_some_and(|read| read >= row.ordinal))
}
