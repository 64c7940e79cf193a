//! What a user's feed has deduplicator its client: a relay that died passes events on
//! once more, and only a reader with a memory can tell them from new ones.

use std::collections::BTreeMap;

use crate::events::{EventHead, EventType};
use crate::ids::{ConversationId, UserId};

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The client gets it.
    Send,
    /// The client had it, or has no right to it.
    Skip,
    /// The client gets it, and something before it was lost.
    Gap,
}

/// How far each conversation was deduplicator.
#[derive(Debug, Clone)]
pub struct Deduplicator {
    user: UserId,
    conversations: BTreeMap<ConversationId, Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    seq: i64,
    /// The user left it.
    left: bool,
}

impl Deduplicator {
    /// Nothing so far.
    #[must_use]
    pub const fn new(user: UserId) -> Self {
        Self {
            user,
            conversations: BTreeMap::new(),
        }
    }

    /// Notes what the client had before, newest first.
    pub fn recall(&mut self, head: &EventHead<'_>) {
        if let (Some(conversation), Some(seq)) = (head.conversation_id, head.seq) {
            let left = head.is(EventType::ParticipantLeft, self.user);
            let last = self.conversations.entry(conversation);
            let last = last.or_insert(Last { seq, left });
            if seq > last.seq {
                *last = Last { seq, left };
            }
        }
    }

    /// Decides about the next entry.
    pub fn judge(&mut self, head: &EventHead<'_>) -> Verdict {
        let Some(conversation) = head.conversation_id else {
            return Verdict::Send;
        };
        let known = self.conversations.get(&conversation).copied();
        let left = known.is_some_and(|last| last.left);
        let back = head.is(EventType::ParticipantJoined, self.user);
        match (head.seq, known) {
            (Some(seq), Some(last)) if seq <= last.seq => Verdict::Skip,
            _ if left && !back => Verdict::Skip,
            (None, _) => Verdict::Send,
            (Some(seq), known) => {
                let left = head.is(EventType::ParticipantLeft, self.user);
                self.conversations.insert(conversation, Last { seq, left });
                match known {
                    // What happened while the user was away is none of theirs.
                    Some(last) if !last.left && seq > last.seq + 1 => Verdict::Gap,
                    _ => Verdict::Send,
                }
            }
        }
    }

    /// Forgets everything: the client fetches anew what it shows.
    pub fn forget(&mut self) {
        self.conversations.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USER: u8 = 1;

    fn event(kind: &str, conversation: u8, seq: Option<i64>, user: u8) -> String {
        let seq = seq
            .map(|seq| format!(r#","seq":{seq}"#))
            .unwrap_or_default();
        format!(r#"{{"type":"{kind}","conversationId":{conversation}{seq},"userId":{user}}}"#)
    }

    fn deduplicator() -> Deduplicator {
        Deduplicator::new(UserId::try_from(i64::from(USER)).unwrap())
    }

    fn judge(deduplicator: &mut Deduplicator, json: &str) -> Verdict {
        deduplicator.judge(&EventHead::parse(json).unwrap())
    }

    proptest! {
        #[test]
        fn whatever_a_relay_repeats_each_event_comes_once_and_in_order(
            passes in proptest::collection::vec((1..4u8, 0..4i64, 0..4i64), 0..40),
        ) {
            let mut deduplicator = deduplicator();
            let mut relayed = [0; 4];
            let mut sent: [Vec<i64>; 4] = Default::default();
            for (conversation, again, new) in passes {
                let newest = &mut relayed[usize::from(conversation)];
                let from = (*newest - again).max(0);
                *newest += new;
                for seq in from + 1..=*newest {
                    let verdict = judge(&mut deduplicator, &event("new-message", conversation, Some(seq), 9));
                    prop_assert_ne!(verdict, Verdict::Gap);
                    if verdict == Verdict::Send {
                        sent[usize::from(conversation)].push(seq);
                    }
                }
            }
            for (newest, sent) in relayed.into_iter().zip(sent) {
                prop_assert_eq!(sent, Vec::from_iter(1..=newest));
            }
        }

        #[test]
        fn whoever_comes_back_gets_nothing_that_they_had(history in 1..40i64, recalled in 1..40i64, again in 1..9i64) {
            let mut deduplicator = deduplicator();
            for seq in (1..=history).rev().take(recalled as usize) {
                deduplicator.recall(&EventHead::parse(&event("new-message", 5, Some(seq), 9)).unwrap());
            }
            let repeat = event("new-message", 5, Some((history + 1 - again).max(1)), 9);
            prop_assert_eq!(judge(&mut deduplicator, &repeat), Verdict::Skip);
            let next = event("new-message", 5, Some(history + 1), 9);
            prop_assert_eq!(judge(&mut deduplicator, &next), Verdict::Send);
        }
    }

    #[test]
    fn a_step_of_more_than_one_is_a_gap_unless_the_conversation_is_new() {
        let mut deduplicator = deduplicator();
        let at = |seq| event("new-message", 5, Some(seq), 9);
        assert_eq!(judge(&mut deduplicator, &at(7)), Verdict::Send);
        assert_eq!(judge(&mut deduplicator, &at(9)), Verdict::Gap);
        assert_eq!(judge(&mut deduplicator, &at(10)), Verdict::Send);
        deduplicator.forget();
        assert_eq!(judge(&mut deduplicator, &at(20)), Verdict::Send);
    }

    #[test]
    fn who_left_gets_nothing_until_they_are_back() {
        let mut deduplicator = deduplicator();
        let mut judge = |json: String| judge(&mut deduplicator, &json);
        assert_eq!(
            judge(event("participant-left", 5, Some(7), USER)),
            Verdict::Send
        );
        assert_eq!(judge(event("new-message", 5, Some(8), 9)), Verdict::Skip);
        assert_eq!(judge(event("typing-start", 5, None, 9)), Verdict::Skip);
        assert_eq!(
            judge(event("participant-left", 5, Some(7), USER)),
            Verdict::Skip
        );
        assert_eq!(judge(event("new-message", 6, Some(1), 9)), Verdict::Send);
        assert_eq!(
            judge(event("participant-joined", 5, Some(12), USER)),
            Verdict::Send
        );
        assert_eq!(judge(event("new-message", 5, Some(13), 9)), Verdict::Send);
    }

    #[test]
    fn presence_and_counts_are_always_sent() {
        let mut deduplicator = deduplicator();
        for json in [
            r#"{"type":"online","userId":9}"#,
            r#"{"type":"unread-count","conversationId":5,"count":1}"#,
        ] {
            assert_eq!(judge(&mut deduplicator, json), Verdict::Send);
            assert_eq!(judge(&mut deduplicator, json), Verdict::Send);
        }
    }
}
