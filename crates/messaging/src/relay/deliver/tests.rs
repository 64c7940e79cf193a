use super::*;
use crate::ids::Seq;

fn event(seq: i64, event_type: EventType, user: Option<i64>) -> Event {
    Event {
        event_type,
        conversation: "7".parse().unwrap(),
        seq: Seq::try_from(seq).unwrap(),
        message_id: None,
        message: None,
        user: user.map(|user| user.try_into().unwrap()),
    }
}

fn batch(events: Vec<Event>, present: &[i64]) -> Batch {
    Batch {
        conversation: "7".parse().unwrap(),
        events,
        newest_message: None,
        unread: present
            .iter()
            .map(|user| ((*user).try_into().unwrap(), 1))
            .collect(),
        unseen: vec![],
        joined_later: vec![],
        left_later: vec![],
    }
}

fn seqs(batch: &Batch, user: i64) -> Vec<i64> {
    let entries = feed_entries(batch, user.try_into().unwrap());
    let positions = entries.iter().filter_map(|entry| entry.position);
    positions.map(|(_, seq)| seq.get()).collect()
}

#[test]
fn a_user_who_leaves_gets_everything_up_to_their_leaving_and_nothing_later() {
    use EventType::{NewMessage, ParticipantLeft};
    let events = vec![
        event(1, NewMessage, None),
        event(2, ParticipantLeft, Some(8)),
        event(3, NewMessage, None),
    ];
    let batch = batch(events, &[9]);
    assert_eq!(seqs(&batch, 8), [1, 2]);
    assert_eq!(seqs(&batch, 9), [1, 2, 3]);
    assert_eq!(gone(&batch), BTreeSet::from([8.try_into().unwrap()]));
}

#[test]
fn a_user_who_comes_back_gets_what_comes_from_their_joining_on() {
    use EventType::{NewMessage, ParticipantJoined, ParticipantLeft};
    let events = vec![
        event(1, ParticipantLeft, Some(8)),
        event(2, NewMessage, None),
        event(3, ParticipantJoined, Some(8)),
        event(4, NewMessage, None),
    ];
    let batch = batch(events, &[8, 9]);
    assert_eq!(seqs(&batch, 8), [1, 3, 4]);
    assert!(gone(&batch).is_empty());
}

#[test]
fn a_batch_is_for_those_who_took_part_at_its_end_whoever_came_and_went_since() {
    use EventType::NewMessage;
    let mut batch = batch(vec![event(1, NewMessage, None)], &[8, 9]);
    batch.joined_later = vec![8.try_into().unwrap()];
    batch.left_later = vec![7.try_into().unwrap()];
    assert_eq!(gone(&batch), BTreeSet::from([7.try_into().unwrap()]));
    assert_eq!(seqs(&batch, 7), [1]);
    assert!(seqs(&batch, 8).is_empty());
    assert_eq!(seqs(&batch, 9), [1]);
}

#[test]
fn a_user_who_joins_gets_nothing_from_before() {
    use EventType::{NewMessage, ParticipantJoined};
    let events = vec![
        event(1, NewMessage, None),
        event(2, ParticipantJoined, Some(8)),
        event(3, NewMessage, None),
    ];
    assert_eq!(seqs(&batch(events, &[8]), 8), [2, 3]);
}

#[test]
fn of_several_reads_by_one_user_the_last_is_delivered() {
    use EventType::MessageRead;
    let events = vec![
        event(1, MessageRead, Some(8)),
        event(2, MessageRead, Some(9)),
        event(3, MessageRead, Some(8)),
    ];
    assert_eq!(seqs(&batch(events, &[8]), 8), [2, 3]);
}

#[test]
fn a_window_is_never_empty_and_bounds_what_is_under_way() {
    let large = batch(
        vec![event(1, EventType::NewMessage, None)],
        &(1..=500).collect::<Vec<_>>(),
    );
    let small = batch(vec![event(1, EventType::NewMessage, None)], &[1, 2]);
    let batches = [large, small];
    assert_eq!(fit(&batches), 1);
    assert_eq!(fit(&batches[1..]), 1);
}
