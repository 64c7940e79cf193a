//! When what became out of date, for those who were told: a text with the acknowledgement of the next
//! one, a right with the acknowledgement of the leaving.

use std::collections::BTreeMap;

use super::super::history::{Attempt, Kind, Outcome};
use super::super::truth::{Audited, Truth};

/// How long a change that was not acknowledged may take until it counts, in microseconds: its host
/// may have died before it could share it.
const UNACKNOWLEDGED: i64 = 60_000_000;

/// A text of a message, or none of a tombstone.
#[derive(Debug, Clone, Copy)]
pub struct Revision {
    pub text: Option<u32>,
    /// From when on it must not be shown.
    pub obsolete: i64,
}

/// A time of membership or absence, in microseconds of Unix time.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    pub from: i64,
    /// When it was acknowledged that it began.
    pub known: i64,
    pub until: i64,
}

/// What the acknowledgements say.
#[derive(Debug, Default)]
pub struct Timeline {
    revisions: BTreeMap<i64, Vec<Revision>>,
    stays: BTreeMap<(i64, i64), Vec<Period>>,
    absences: BTreeMap<(i64, i64), Vec<Period>>,
}

/// The kind of a change, its conversation, user and message.
type Changed = (Kind, i64, Option<i64>, Option<i64>);

/// The attempts that took effect, by what they changed.
struct Acknowledged<'a> {
    texts: BTreeMap<u32, i64>,
    others: BTreeMap<Changed, Vec<&'a Attempt>>,
}

impl Timeline {
    pub fn of(attempts: &[Attempt], truth: &Truth) -> Self {
        let acknowledged = Acknowledged::of(attempts);
        let mut timeline = Self::default();
        for conversation in truth.values() {
            let id = conversation.id;
            let created = conversation.audit.first().map_or(0, |audited| audited.at);
            for user in &conversation.initial {
                let known = conversation
                    .title
                    .and_then(|title| acknowledged.texts.get(&title));
                let known = known.copied().unwrap_or(created + UNACKNOWLEDGED);
                timeline.enter((id, *user), created, known);
            }
            for audited in &conversation.audit {
                timeline.take(id, audited, &acknowledged);
            }
        }
        timeline
    }

    fn take(&mut self, conversation: i64, audited: &Audited, acknowledged: &Acknowledged) {
        let known = acknowledged.at(conversation, audited);
        let user = (conversation, audited.change.user.unwrap_or(0));
        match (&*audited.change.kind, audited.change.message) {
            ("participant-joined", _) => self.enter(user, audited.at, known),
            ("participant-left", _) => {
                close(&mut self.stays, user, audited.at);
                open(&mut self.absences, user, audited.at, known);
            }
            ("message-read" | "conversation-created", _) | (_, None) => {}
            (_, Some(message)) => {
                let revisions = self.revisions.entry(message).or_default();
                // A first text makes nothing out of date.
                for revision in revisions.iter_mut() {
                    revision.obsolete = revision.obsolete.min(known);
                }
                revisions.push(Revision {
                    text: audited.text,
                    obsolete: i64::MAX,
                });
            }
        }
    }

    fn enter(&mut self, user: (i64, i64), at: i64, known: i64) {
        close(&mut self.absences, user, at);
        open(&mut self.stays, user, at, known);
    }

    /// When a text of a message must no longer be shown; none if it never was its text.
    pub fn obsolete(&self, message: i64, text: Option<u32>) -> Option<i64> {
        let revisions = self.revisions.get(&message)?;
        let found = revisions
            .iter()
            .rev()
            .find(|revision| revision.text == text)?;
        Some(found.obsolete)
    }

    /// The times in which a user did not take part, after having done so.
    pub fn absences(&self, conversation: i64, user: i64) -> &[Period] {
        self.absences
            .get(&(conversation, user))
            .map_or(&[], Vec::as_slice)
    }

    /// Whether a user took part from before `from` until after `to`, and was told so.
    pub fn takes_part(&self, conversation: i64, user: i64, from: i64, to: i64) -> bool {
        let stays = self
            .stays
            .get(&(conversation, user))
            .map_or(&[][..], Vec::as_slice);
        stays
            .iter()
            .any(|stay| stay.known < from && to < stay.until)
    }
}

fn open(periods: &mut BTreeMap<(i64, i64), Vec<Period>>, user: (i64, i64), from: i64, known: i64) {
    periods.entry(user).or_default().push(Period {
        from,
        known,
        until: i64::MAX,
    });
}

fn close(periods: &mut BTreeMap<(i64, i64), Vec<Period>>, user: (i64, i64), until: i64) {
    if let Some(last) = periods
        .get_mut(&user)
        .and_then(|periods| periods.last_mut())
    {
        last.until = until;
    }
}

impl<'a> Acknowledged<'a> {
    fn of(attempts: &'a [Attempt]) -> Self {
        let mut acknowledged = Self {
            texts: BTreeMap::new(),
            others: BTreeMap::new(),
        };
        let done = attempts
            .iter()
            .filter(|attempt| matches!(attempt.outcome, Outcome::Done(_)));
        for attempt in done {
            if let Some(text) = attempt.text {
                let first = acknowledged.texts.entry(text).or_insert(attempt.answered);
                *first = attempt.answered.min(*first);
                continue;
            }
            // Whoever deletes a message: it is gone for all.
            let user = attempt.user.filter(|_| attempt.kind != Kind::Delete);
            let message = attempt.message.filter(|_| attempt.kind == Kind::Delete);
            let key = (attempt.kind, attempt.conversation, user, message);
            acknowledged.others.entry(key).or_default().push(attempt);
        }
        acknowledged
    }

    /// When a change was first acknowledged.
    fn at(&self, conversation: i64, audited: &Audited) -> i64 {
        let (user, message) = (audited.change.user, audited.change.message);
        let key = match &*audited.change.kind {
            "message-deleted" => (Kind::Delete, conversation, None, message),
            "participant-joined" => (Kind::Join, conversation, user, None),
            "participant-left" => (Kind::Leave, conversation, user, None),
            _ => {
                let known = audited.text.and_then(|text| self.texts.get(&text));
                return known.copied().unwrap_or(audited.at + UNACKNOWLEDGED);
            }
        };
        let attempts = self.others.get(&key).map_or(&[][..], Vec::as_slice);
        let after = attempts.iter().filter(|attempt| {
            let made = attempt.sent <= audited.at || attempt.kind == Kind::Delete;
            made && audited.at <= attempt.answered
        });
        let first = after.map(|attempt| attempt.answered).min();
        first.unwrap_or(audited.at + UNACKNOWLEDGED)
    }
}
