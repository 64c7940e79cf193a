//! The tables: what the fold of the events says.

use std::collections::BTreeMap;

use super::super::model::Fold;
use super::super::truth::{Conversation, Cursor};
use super::Violations;

const CHECK: &str = "tables";

pub fn check(conversation: &Conversation, fold: &Fold, violations: &mut Violations) {
    let id = conversation.id;
    let mut compare =
        |what: &str, expected: &BTreeMap<i64, Cursor>, found: &BTreeMap<i64, Cursor>| {
            violations.compare(CHECK, id, what, expected, found);
            let negative = |cursor: &&Cursor| cursor.sent_after < 0 || cursor.deleted_after < 0;
            if let Some(cursor) = found.values().find(negative) {
                violations.add(CHECK, id, "no negative counter", format!("{cursor:?}"));
            }
        };
    let participants = fold.participants.iter();
    let participants = participants.map(|(user, read)| (*user, fold.cursor(*user, *read)));
    compare(
        "participants",
        &participants.collect(),
        &conversation.participants,
    );
    let former = fold.former.iter().map(|(user, (read, _))| {
        let left = Cursor {
            deleted_after: 0,
            ..fold.cursor(*user, *read)
        };
        (*user, left)
    });
    let found = conversation
        .former
        .iter()
        .map(|(user, (cursor, _))| (*user, *cursor));
    compare("who left", &former.collect(), &found.collect());

    let left = |(user, (_, seq)): (&i64, &(i64, i64))| (*user, *seq);
    let expected: BTreeMap<i64, i64> = fold.former.iter().map(left).collect();
    let found = conversation
        .former
        .iter()
        .map(|(user, (_, seq))| (*user, *seq))
        .collect();
    violations.compare(CHECK, id, "seqs of leaving", &expected, &found);

    let unread = fold.participants.iter();
    let unread = unread
        .map(|(user, read)| (*user, fold.unread(*user, *read)))
        .collect();
    violations.compare(CHECK, id, "unread", &unread, &conversation.unread);
    violations.compare(CHECK, id, "reads", &fold.reads, &conversation.reads);
    violations.compare(
        CHECK,
        id,
        "list_seq",
        &fold.list_seq,
        &conversation.list_seq,
    );
    let counts = (fold.messages.len() as i64, conversation.message_count);
    violations.compare(CHECK, id, "message_count", &counts.0, &counts.1);
    check_messages(conversation, fold, violations);
}

fn check_messages(conversation: &Conversation, fold: &Fold, violations: &mut Violations) {
    let expected = fold.messages.iter().zip(1..);
    let expected: Vec<_> = expected
        .map(|(message, at)| (message.id, at, message.is_deleted))
        .collect();
    let found = conversation.messages.iter();
    let found: Vec<_> = found
        .map(|row| (row.id, row.ordinal, row.is_deleted))
        .collect();
    violations.compare(
        CHECK,
        conversation.id,
        "(id, ordinal, deleted)",
        &expected,
        &found,
    );
}
