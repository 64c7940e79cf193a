use proptest::prelude::*;

use super::*;
use crate::ids::Seq;
use platform::redis::StreamId;

const PAGE: usize = 3;
const BATCH: usize = 4;

/// A conversation, its stream in Redis, and one reader of the two.
struct World {
    /// The seq of the newest event.
    newest: i64,
    relayed: i64,
    stream: Vec<StreamEntry>,
    typed: u64,
    position: StreamId,
    progress: Progress,
    sent: Vec<SseEvent>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Post(i64),
    Relay,
    /// As a relay does that died before it could note how far it came.
    RelayAgain,
    Type,
    FlushRedis,
    /// The relay noted that it passed events on, and Redis lost them.
    LoseRelayed,
    Read,
    Check,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1..6i64).prop_map(Step::Post),
        Just(Step::Relay),
        Just(Step::RelayAgain),
        Just(Step::Type),
        Just(Step::FlushRedis),
        Just(Step::LoseRelayed),
        Just(Step::Read),
        Just(Step::Read),
        Just(Step::Check),
    ];
    proptest::collection::vec(step, 0..60)
}

fn event(seq: i64) -> Event {
    Event {
        event_type: EventType::NewMessage,
        message_id: None,
        conversation: "7".parse().unwrap(),
        seq: Seq::try_from(seq).unwrap(),
        message: None,
        user: None,
    }
}

fn entry(seq: i64) -> StreamEntry {
    StreamEntry {
        id: StreamId {
            major: seq as u64,
            minor: 0,
        },
        event: event(seq).to_json(),
    }
}

impl World {
    fn new(history: i64, last: LastEventId<i64>) -> (Self, bool) {
        let (progress, resync) = Progress::begin(None, last, history);
        let world = Self {
            newest: history,
            relayed: history,
            stream: vec![],
            typed: 0,
            position: StreamId::default(),
            progress,
            sent: vec![],
        };
        (world, resync)
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Post(count) => self.newest += count,
            Step::Relay => self.relay(self.relayed),
            Step::RelayAgain => self.relay((self.relayed - 2).max(0)),
            Step::Type => self.r#type(),
            Step::FlushRedis => self.stream.clear(),
            Step::LoseRelayed => self.relayed = self.newest,
            Step::Read => self.read(),
            Step::Check => self.ask(),
        }
    }

    fn end_of_stream(&self) -> StreamId {
        self.stream
            .last()
            .map_or(StreamId::default(), |entry| entry.id)
    }

    fn relay(&mut self, after: i64) {
        for seq in after + 1..=self.newest {
            if entry(seq).id > self.end_of_stream() {
                self.stream.push(entry(seq));
            }
        }
        self.relayed = self.newest;
    }

    fn r#type(&mut self) {
        self.typed += 1;
        let StreamId { major, minor } = self.end_of_stream();
        let event = r#"{"type":"typing-start","userId":1,"conversationId":7}"#.into();
        self.stream.push(StreamEntry {
            id: StreamId {
                major,
                minor: minor + 1,
            },
            event,
        });
    }

    fn read(&mut self) {
        let after = self.stream.iter().filter(|entry| entry.id > self.position);
        let batch: Vec<StreamEntry> = after.take(BATCH).cloned().collect();
        if let Some(last) = batch.last() {
            self.position = last.id;
        }
        if self.progress.take_entries(batch, &mut self.sent) == Next::Ask {
            self.ask();
        }
    }

    fn ask(&mut self) {
        loop {
            let events = (self.progress.seq() + 1..=self.newest)
                .take(PAGE)
                .map(event)
                .collect();
            let page = EventPage {
                events,
                newest: self.newest,
                unrelayed: false,
            };
            if self.progress.take_page(page, &mut self.sent) == Next::Wait {
                return;
            }
        }
    }

    fn seqs(&self) -> Vec<i64> {
        let ids = self.sent.iter().filter_map(|block| block.id.as_ref());
        ids.map(|id| id.parse().unwrap()).collect()
    }
}

proptest! {
    #[test]
    fn whatever_redis_loses_or_repeats_each_event_comes_once_and_in_order(
        history in 0..6i64, back in 0..6i64, steps in steps(),
    ) {
        let start = (history - back).max(0);
        let (mut world, resync) = World::new(history, LastEventId::After(start));
        prop_assert!(!resync);
        for step in steps {
            world.take(step);
            // What the stream has shown is there at once, with all before it.
            prop_assert!(world.progress.seq() as u64 >= world.position.major);
        }
        world.take(Step::Check);
        let expected: Vec<i64> = (start + 1..=world.newest).collect();
        prop_assert_eq!(world.seqs(), expected);
        prop_assert!(world.sent.iter().all(|block| block.event != "resync"));
    }

    #[test]
    fn while_redis_loses_nothing_no_reader_waits_for_the_database(posts in proptest::collection::vec(1..6i64, 0..9)) {
        let (mut world, _) = World::new(0, LastEventId::None);
        for count in posts {
            world.take(Step::Post(count));
            world.take(Step::Relay);
            for _ in 0..count {
                world.take(Step::Read);
            }
            prop_assert_eq!(world.progress.seq(), world.newest);
        }
    }

    #[test]
    fn typing_has_no_id_and_moves_nothing(steps in steps()) {
        let (mut world, _) = World::new(2, LastEventId::None);
        for step in steps {
            world.take(step);
        }
        let typing = world.sent.iter().filter(|block| block.event == "typing-start");
        prop_assert!(typing.clone().all(|block| block.id.is_none()));
        prop_assert!(typing.count() as u64 <= world.typed);
    }
}

#[test]
fn a_client_begins_where_it_left_off_or_now() {
    let begin = |last| {
        let (progress, resync) = Progress::begin(None, last, 9);
        (progress.seq(), resync)
    };
    assert_eq!(begin(LastEventId::None), (9, false));
    assert_eq!(begin(LastEventId::After(0)), (0, false));
    assert_eq!(begin(LastEventId::After(9)), (9, false));
    assert_eq!(begin(LastEventId::After(10)), (9, true));
    assert_eq!(begin(LastEventId::After(-1)), (9, true));
    assert_eq!(begin(LastEventId::Unknown), (9, true));
}

#[test]
fn events_that_the_database_no_longer_keeps_are_a_resync() {
    let (mut progress, mut sent) = (Progress::after(None, 2), vec![]);
    let page = EventPage {
        events: vec![event(6), event(7)],
        newest: 7,
        unrelayed: false,
    };
    assert_eq!(progress.take_page(page, &mut sent), Next::Wait);
    let shown: Vec<_> = sent
        .iter()
        .map(|block| (block.event.as_str(), block.id.as_deref().unwrap()))
        .collect();
    assert_eq!(
        shown,
        [("resync", "5"), ("new-message", "6"), ("new-message", "7")]
    );

    let page = EventPage {
        events: vec![],
        newest: 9,
        unrelayed: false,
    };
    assert_eq!(progress.take_page(page, &mut sent), Next::Wait);
    assert_eq!(
        (sent.last().unwrap().event.as_str(), progress.seq()),
        ("resync", 9)
    );
}

#[test]
fn a_user_who_left_gets_nothing_more_until_the_database_shows_it_to_them() {
    let (mut progress, mut sent) = (Progress::after(Some("2".parse().unwrap()), 0), vec![]);
    let left = r#"{"type":"participant-left","conversationId":7,"seq":1,"userId":2}"#.into();
    let entries = vec![
        StreamEntry {
            event: left,
            ..entry(1)
        },
        entry(2),
    ];
    assert_eq!(progress.take_entries(entries, &mut sent), Next::Ask);
    assert_eq!(progress.take_entries(vec![entry(2)], &mut sent), Next::Ask);
    assert_eq!(sent.len(), 1, "the leaving itself");

    let page = EventPage {
        events: vec![event(2)],
        newest: 2,
        unrelayed: false,
    };
    assert_eq!(progress.take_page(page, &mut sent), Next::Wait);
    assert_eq!(sent.len(), 2);
}

#[test]
fn what_is_no_event_is_passed_over() {
    let (mut progress, mut sent) = (Progress::after(None, 0), vec![]);
    let garbage = StreamEntry {
        event: "x".into(),
        ..entry(1)
    };
    assert_eq!(progress.take_entries(vec![garbage], &mut sent), Next::Wait);
    assert_eq!(sent, []);
}
