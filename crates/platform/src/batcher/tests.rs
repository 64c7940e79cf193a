use std::cell::RefCell;

use futures::channel::oneshot;
use proptest::prelude::*;

use super::*;
use crate::task::native::run_until_stalled;

thread_local! {
    static BATCHER: Batcher<u32, u32> = const { Batcher::new() };
    /// The batches that are being written, and what lets each go on.
    static BATCHES: RefCell<Vec<(Vec<u32>, oneshot::Sender<()>)>> = const { RefCell::new(Vec::new()) };
}

/// Doubles each item, once the test lets it.
async fn double(items: Vec<u32>) -> Vec<u32> {
    let (written, is_written) = oneshot::channel();
    BATCHES.with_borrow_mut(|batches| batches.push((items.clone(), written)));
    let _ = is_written.await;
    items.iter().map(|item| item * 2).collect()
}

/// `None` for a request that has no result yet, or was given up.
type Outcome = Option<Result<u32, OutcomeUnknown>>;

/// Requests that run until they are given up.
#[derive(Default)]
struct Requests {
    give_up: Vec<Option<oneshot::Sender<()>>>,
    results: Rc<RefCell<Vec<Outcome>>>,
}

impl Requests {
    fn started(count: usize) -> Self {
        let mut requests = Self::default();
        (0..count).for_each(|_| requests.start());
        requests
    }

    fn start(&mut self) {
        let number = self.give_up.len();
        let (give_up, given_up) = oneshot::channel::<()>();
        self.give_up.push(Some(give_up));
        self.results.borrow_mut().push(None);
        let results = self.results.clone();
        let item = u32::try_from(number).unwrap();
        task::spawn(async move {
            let request = Box::pin(Batcher::submit(&BATCHER, item, double));
            if let futures::future::Either::Left((result, _)) =
                futures::future::select(request, given_up).await
            {
                results.borrow_mut()[number] = Some(result);
            }
        });
        run_until_stalled();
    }

    fn give_up(&mut self, number: usize) {
        if let Some(give_up) = self.give_up.get_mut(number) {
            give_up.take();
        }
        run_until_stalled();
    }

    fn result(&self, number: usize) -> Outcome {
        self.results.borrow()[number]
    }
}

/// Lets the batch that is being written go on; what was in it.
fn finish_batch() -> Vec<u32> {
    let batch = BATCHES.with_borrow_mut(|batches| (!batches.is_empty()).then(|| batches.remove(0)));
    let Some((items, written)) = batch else {
        return Vec::new();
    };
    let _ = written.send(());
    run_until_stalled();
    items
}

#[test]
fn items_that_come_while_a_batch_is_written_are_the_next_batch() {
    let requests = Requests::started(4);
    assert_eq!(finish_batch(), [0]);
    assert_eq!(finish_batch(), [1, 2, 3]);
    for number in 0..4_u32 {
        assert_eq!(requests.result(number as usize), Some(Ok(number * 2)));
    }
}

#[test]
fn the_end_of_the_request_that_started_the_writer_harms_no_other() {
    let mut requests = Requests::started(3);
    requests.give_up(0);
    assert_eq!(finish_batch(), [0]);
    assert_eq!(finish_batch(), [1, 2]);
    assert_eq!(
        (requests.result(1), requests.result(2)),
        (Some(Ok(2)), Some(Ok(4)))
    );
}

#[test]
fn an_item_is_not_written_once_its_request_was_given_up() {
    let mut requests = Requests::started(3);
    requests.give_up(1);
    assert_eq!(finish_batch(), [0]);
    assert_eq!(finish_batch(), [2]);
    assert_eq!(requests.result(2), Some(Ok(4)));
}

#[derive(Debug, Clone)]
enum Step {
    Start,
    GiveUp(usize),
    Finish,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Start),
        1 => (0..20_usize).prop_map(Step::GiveUp),
        2 => Just(Step::Finish),
    ]
}

proptest! {
    #[test]
    fn every_request_that_is_not_given_up_gets_its_own_result(
        steps in proptest::collection::vec(step(), 0..60)
    ) {
        let mut requests = Requests::default();
        for step in steps {
            match step {
                Step::Start => requests.start(),
                Step::GiveUp(number) => requests.give_up(number),
                Step::Finish => { finish_batch(); }
            }
        }
        while !BATCHES.with_borrow(Vec::is_empty) {
            finish_batch();
        }
        for (number, give_up) in requests.give_up.iter().enumerate() {
            let result = requests.result(number);
            if give_up.is_some() {
                prop_assert_eq!(result, Some(Ok(u32::try_from(number).unwrap() * 2)));
            }
        }
        prop_assert!(!BATCHER.with(|batcher| batcher.has_writer.get()));
    }
}
