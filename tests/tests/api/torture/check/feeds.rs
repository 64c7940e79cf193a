//! What every reader's feed said: each event once, in order and as it was, complete but for a
//! `resync`, nothing to who had left, no text that was out of date.

use std::collections::{BTreeMap, BTreeSet};

use super::super::history::History;
use super::super::model::Fold;
use super::super::reader::{Feed, Item, Reader, Readers, Received, What};
use super::super::truth::{Change, Conversation, Truth};
use super::Violations;
use super::timeline::Timeline;

/// How long an event may be on its way to a reader that is connected, in microseconds.
const ON_ITS_WAY: i64 = 4_000_000;
/// Of several reads by one user so close to each other, only the last may be delivered.
const BURST: i64 = 50;

/// What of a feed came between two breaks: a beginning or a `resync`.
struct Span<'a> {
    since: i64,
    is_last: bool,
    events: Vec<(&'a Item, &'a Received)>,
}

struct Checker<'a> {
    reader: &'a Reader,
    truth: &'a Truth,
    folds: &'a BTreeMap<i64, Fold>,
    timeline: &'a Timeline,
    violations: &'a mut Violations,
}

pub fn check(history: &History, readers: &Readers, truth: &Truth, violations: &mut Violations) {
    let timeline = Timeline::of(&history.attempts(), truth);
    let folds = truth
        .iter()
        .map(|(id, conversation)| (*id, Fold::of(conversation)));
    let folds: BTreeMap<i64, Fold> = folds.collect();
    for reader in readers.all() {
        let items = reader.items();
        let (folds, timeline) = (&folds, &timeline);
        let mut checker = Checker {
            reader: &reader,
            truth,
            folds,
            timeline,
            violations,
        };
        checker.check_ids(&items);
        for span in spans(&items) {
            checker.check_span(&span);
        }
    }
}

fn spans(items: &[Item]) -> Vec<Span<'_>> {
    let mut spans = vec![Span {
        since: 0,
        is_last: false,
        events: vec![],
    }];
    for item in items {
        match (&item.what, spans.last_mut()) {
            (What::Event(event), Some(span)) => span.events.push((item, event)),
            _ => spans.push(Span {
                since: item.received,
                is_last: false,
                events: vec![],
            }),
        }
    }
    spans
        .last_mut()
        .into_iter()
        .for_each(|span| span.is_last = true);
    spans
}

impl Checker<'_> {
    fn viewer(&self) -> Option<i64> {
        match self.reader.feed {
            Feed::Conversation(_, viewer) => viewer,
            Feed::User(user) => Some(user),
        }
    }

    fn add(&mut self, check: &'static str, conversation: i64, expected: String, found: String) {
        let found = format!("{:?}: {found}", self.reader.feed);
        self.violations.add(check, conversation, expected, found);
    }

    fn check_ids(&mut self, items: &[Item]) {
        let mut known = BTreeSet::new();
        for item in items {
            let What::Event(event) = &item.what else {
                if let (Feed::Conversation(id, _), What::Resync) = (self.reader.feed, &item.what) {
                    self.add("feeds: resync", id, "none".into(), format!("{item:?}"));
                }
                continue;
            };
            if item.id.as_ref().is_some_and(|id| !known.insert(id)) {
                let conversation = event.conversation.unwrap_or(0);
                self.add(
                    "feeds: id twice",
                    conversation,
                    "new ids".into(),
                    format!("{item:?}"),
                );
            }
        }
    }

    fn check_span(&mut self, span: &Span) {
        let mut seqs: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (item, event) in &span.events {
            let (Some(id), Some(seq)) = (event.conversation, event.seq) else {
                continue;
            };
            seqs.entry(id).or_default().push(seq);
            self.check_event(id, seq, item, event);
        }
        for (id, seqs) in &seqs {
            if let Some(two) = seqs.windows(2).find(|two| two[0] >= two[1]) {
                self.add(
                    "feeds: order",
                    *id,
                    "increasing seqs".into(),
                    format!("{two:?}"),
                );
            }
        }
        for conversation in self.truth.values() {
            let seqs = seqs.get(&conversation.id).map_or(&[][..], Vec::as_slice);
            self.check_complete(span, conversation, seqs);
        }
        if span.is_last {
            self.check_unread(span);
        }
    }

    fn check_event(&mut self, id: i64, seq: i64, item: &Item, event: &Received) {
        let truth = &self.truth[&id];
        let Some((_, change)) = truth.events.get((seq - 1) as usize) else {
            self.add(
                "feeds: event",
                id,
                "an event of the log".into(),
                format!("{item:?}"),
            );
            return;
        };
        let message = event.message.map(|shown| shown.id);
        let found = Change {
            kind: event.kind.clone(),
            message,
            user: event.user,
        };
        if *change != found {
            self.add(
                "feeds: event",
                id,
                format!("{seq}: {change:?}"),
                format!("{item:?}"),
            );
        }
        self.check_right(id, seq, item);
        if let Some(shown) = event.message {
            let obsolete = self.timeline.obsolete(shown.id, shown.text);
            let late = |obsolete| item.opened > obsolete || item.received - ON_ITS_WAY > obsolete;
            if obsolete.is_none_or(late) {
                let expected = format!("another text, obsolete at {obsolete:?}");
                self.add("feeds: text", id, expected, format!("{item:?}"));
            }
        }
    }

    /// Nothing that happened after a leaving was acknowledged, until the user came back.
    fn check_right(&mut self, id: i64, seq: i64, item: &Item) {
        let Some(viewer) = self.viewer() else { return };
        let happened = self.truth[&id]
            .audit
            .get((seq - 1) as usize)
            .map_or(0, |audited| audited.at);
        let mut absences = self.timeline.absences(id, viewer).iter();
        let absence = absences.find(|absence| {
            absence.known < happened && happened < absence.until && item.received < absence.until
        });
        if let Some(absence) = absence {
            let expected = format!("nothing for {viewer}, absent in {absence:?}");
            self.add(
                "feeds: right",
                id,
                expected,
                format!("happened at {happened}, {item:?}"),
            );
        }
    }

    fn check_complete(&mut self, span: &Span, conversation: &Conversation, seqs: &[i64]) {
        let id = conversation.id;
        let newest = seqs.iter().max().copied().unwrap_or(0);
        let is_due = |seq: i64| match self.reader.feed {
            // It is read from the beginning, and all of it may be seen by who takes part.
            Feed::Conversation(of, viewer) => {
                let reads_on =
                    viewer.is_none_or(|user| conversation.participants.contains_key(&user));
                of == id && span.is_last && (seq <= newest || reads_on)
            }
            Feed::User(user) => {
                self.folds[&id].takes_part(user, seq)
                    && (seq <= newest || span.is_last)
                    && conversation.audit[(seq - 1) as usize].at > span.since
                    && span.since > 0
                    && !is_superseded(conversation, seq)
                    && !self.is_hidden(conversation, user, seq)
            }
        };
        let known: BTreeSet<i64> = seqs.iter().copied().collect();
        let events = conversation.events.len().min(conversation.audit.len()) as i64;
        let missing: Vec<i64> = (1..=events)
            .filter(|seq| is_due(*seq) && !known.contains(seq))
            .collect();
        if let Some(first) = missing.first() {
            let audited = &conversation.audit[(first - 1) as usize];
            let expected = format!("{missing:?} of 1..={events}; the first is {audited:?}");
            let last = span.is_last;
            let found = format!("up to {newest} since {}, the last span: {last}", span.since);
            self.add("feeds: complete", id, expected, found);
        }
    }

    /// A message that was changed after a user left is not shown to them, nor what happened to it.
    fn is_hidden(&self, conversation: &Conversation, user: i64, seq: i64) -> bool {
        let audit = &conversation.audit;
        let happened = &audit[(seq - 1) as usize];
        let mut absences = self.timeline.absences(conversation.id, user).iter();
        absences.any(|absence| {
            absence.from >= happened.at
                && audit.iter().any(|later| {
                    later.change.kind == "message-edited"
                        && later.change.message == happened.change.message
                        && later.at >= absence.from
                })
        })
    }

    fn check_unread(&mut self, span: &Span) {
        let Feed::User(user) = self.reader.feed else {
            return;
        };
        let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
        for (_, event) in &span.events {
            if let (Some(id), Some(count)) = (event.conversation, event.count) {
                counts.insert(id, count);
            }
        }
        for (id, conversation) in self.truth {
            let expected = conversation.unread.get(&user);
            let last = conversation.audit.last().map_or(0, |audited| audited.at);
            if last > span.since && expected.is_some() && counts.get(id) != expected {
                let found = format!("{:?}", counts.get(id));
                self.add("feeds: unread", *id, format!("{expected:?}"), found);
            }
        }
    }
}

fn is_superseded(conversation: &Conversation, seq: i64) -> bool {
    let change = &conversation.events[(seq - 1) as usize].1;
    let later = conversation
        .events
        .iter()
        .skip(seq as usize)
        .take(BURST as usize);
    change.kind == "message-read"
        && later
            .into_iter()
            .any(|(_, other)| other.kind == change.kind && other.user == change.user)
}
