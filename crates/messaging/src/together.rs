//! Questions that requests of one instance ask together.
//!
//! While one is under way, those that come wait; then the first of them asks for
//! all. So the more there are, the less each costs, and one that comes alone
//! waits for nobody.

mod wake;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::thread::LocalKey;

use wake::Wake;

/// Whoever asked for all was given up before there were answers: nobody knows
/// whether the question was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

/// Where questions of one kind meet.
pub struct Together<Q, A> {
    /// Somebody asks, or was called to.
    busy: Cell<bool>,
    waiting: RefCell<VecDeque<Waiting<Q, A>>>,
}

struct Waiting<Q, A> {
    question: Q,
    answer: Answer<A>,
    /// Is `None` for whoever was called to ask for all.
    wake: Option<Wake>,
}

type Answer<A> = Rc<Cell<Option<A>>>;

impl<Q, A> Together<Q, A> {
    /// Nobody asks yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            busy: Cell::new(false),
            waiting: RefCell::new(VecDeque::new()),
        }
    }

    /// Gets an answer to `question`; `ask` gives one to each, in their order.
    pub async fn ask<F>(
        together: &'static LocalKey<Self>,
        question: Q,
        ask: impl FnOnce(Vec<Q>) -> F,
    ) -> Result<A, Lost>
    where
        F: Future<Output = Vec<A>>,
    {
        let place = Place {
            together,
            answer: Answer::default(),
        };
        let all = if together.with(|together| together.busy.replace(true)) {
            let (wake, woken) = wake::pair();
            place.wait(question, wake);
            woken.await;
            match place.called() {
                Some(all) => all,
                None => return place.answer.take().ok_or(Lost),
            }
        } else {
            [place.waiting(question, None)].into()
        };
        let turn = Turn(together);
        let (questions, asked): (Vec<_>, Vec<_>) = all
            .into_iter()
            .map(|waiting| (waiting.question, (waiting.answer, waiting.wake)))
            .unzip();
        let answers = ask(questions).await;
        drop(turn);
        for ((answer, _wake), given) in asked.into_iter().zip(answers) {
            answer.set(Some(given));
        }
        place.answer.take().ok_or(Lost)
    }

    /// Calls the first of those that wait to ask for all.
    fn call_next(&self) {
        let mut waiting = self.waiting.borrow_mut();
        match waiting.front_mut() {
            Some(next) => next.wake = None,
            None => self.busy.set(false),
        }
    }
}

/// The turn to ask; whoever gives up gives it on.
struct Turn<Q: 'static, A: 'static>(&'static LocalKey<Together<Q, A>>);

impl<Q, A> Drop for Turn<Q, A> {
    fn drop(&mut self) {
        self.0.with(Together::call_next);
    }
}

/// One request's place among those that wait; whoever gives up leaves it.
struct Place<Q: 'static, A: 'static> {
    together: &'static LocalKey<Together<Q, A>>,
    answer: Answer<A>,
}

impl<Q, A> Place<Q, A> {
    fn waiting(&self, question: Q, wake: Option<Wake>) -> Waiting<Q, A> {
        Waiting {
            question,
            answer: self.answer.clone(),
            wake,
        }
    }

    fn wait(&self, question: Q, wake: Wake) {
        let waiting = self.waiting(question, Some(wake));
        let wait = |together: &Together<_, _>| together.waiting.borrow_mut().push_back(waiting);
        self.together.with(wait);
    }

    /// All that wait, if it is this one's turn to ask for them.
    fn called(&self) -> Option<VecDeque<Waiting<Q, A>>> {
        let called = |together: &Together<_, _>| {
            let mut waiting = together.waiting.borrow_mut();
            self.index(&waiting).map(|_| std::mem::take(&mut *waiting))
        };
        self.together.with(called)
    }

    fn index(&self, waiting: &VecDeque<Waiting<Q, A>>) -> Option<usize> {
        waiting
            .iter()
            .position(|waiting| Rc::ptr_eq(&waiting.answer, &self.answer))
    }
}

impl<Q, A> Drop for Place<Q, A> {
    fn drop(&mut self) {
        let leave = |together: &Together<_, _>| {
            let mut waiting = together.waiting.borrow_mut();
            let left = self.index(&waiting).and_then(|at| waiting.remove(at));
            drop(waiting);
            if left.is_some_and(|left| left.wake.is_none()) {
                together.call_next();
            }
        };
        self.together.with(leave);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::channel::oneshot;
    use futures::executor::LocalPool;
    use futures::task::LocalSpawnExt;
    use proptest::prelude::*;

    use super::*;

    thread_local! {
        static TOGETHER: Together<u32, u32> = const { Together::new() };
        /// What was asked together, and how it is answered.
        static ASKED: RefCell<Vec<Asked>> = const { RefCell::new(Vec::new()) };
    }

    type Asked = (Vec<u32>, oneshot::Sender<()>);

    async fn double(questions: Vec<u32>) -> Vec<u32> {
        let (answer, answered) = oneshot::channel();
        ASKED.with_borrow_mut(|asked| asked.push((questions.clone(), answer)));
        let _ = answered.await;
        questions.iter().map(|question| question * 2).collect()
    }

    /// `None` for a request that has none yet, or was given up.
    type Outcome = Option<Result<u32, Lost>>;

    /// Requests that run until they are given up.
    struct Requests {
        pool: LocalPool,
        given_up: Vec<Option<oneshot::Sender<()>>>,
        results: Rc<RefCell<Vec<Outcome>>>,
    }

    impl Requests {
        fn new() -> Self {
            ASKED.with_borrow_mut(Vec::clear);
            Self {
                pool: LocalPool::new(),
                given_up: Vec::new(),
                results: Rc::default(),
            }
        }

        fn started(count: usize) -> Self {
            let mut requests = Self::new();
            (0..count).for_each(|_| requests.start());
            requests
        }

        fn start(&mut self) {
            let number = self.given_up.len();
            let (give_up, given_up) = oneshot::channel::<()>();
            self.given_up.push(Some(give_up));
            self.results.borrow_mut().push(None);
            let results = self.results.clone();
            let question = u32::try_from(number).unwrap();
            let request = async move {
                let asking = Box::pin(Together::ask(&TOGETHER, question, double));
                if let futures::future::Either::Left((result, _)) =
                    futures::future::select(asking, given_up).await
                {
                    results.borrow_mut()[number] = Some(result);
                }
            };
            self.pool.spawner().spawn_local(request).unwrap();
            self.pool.run_until_stalled();
        }

        fn give_up(&mut self, number: usize) {
            if let Some(give_up) = self.given_up.get_mut(number) {
                give_up.take();
            }
            self.pool.run_until_stalled();
        }

        /// Answers what is under way; what was asked.
        fn answer(&mut self) -> Vec<u32> {
            let asked = ASKED.with_borrow_mut(|asked| (!asked.is_empty()).then(|| asked.remove(0)));
            let Some((questions, answer)) = asked else {
                return Vec::new();
            };
            let _ = answer.send(());
            self.pool.run_until_stalled();
            questions
        }

        fn result(&self, number: usize) -> Outcome {
            self.results.borrow()[number]
        }
    }

    #[test]
    fn who_comes_while_somebody_asks_is_asked_for_together() {
        let mut requests = Requests::started(4);
        assert_eq!(requests.answer(), [0]);
        assert_eq!(requests.answer(), [1, 2, 3]);
        for number in 0..4_u32 {
            let result = requests.result(number as usize);
            assert_eq!(result, Some(Ok(number * 2)));
        }
    }

    #[test]
    fn who_was_asked_for_by_one_that_gave_up_learns_it() {
        let mut requests = Requests::started(4);
        assert_eq!(requests.answer(), [0]);
        requests.start();
        requests.give_up(1);
        assert_eq!(requests.result(2), Some(Err(Lost)));
        assert_eq!(requests.result(3), Some(Err(Lost)));
        ASKED.with_borrow_mut(|asked| asked.remove(0));
        assert_eq!(requests.answer(), [4]);
        assert_eq!(requests.result(4), Some(Ok(8)));
    }

    #[test]
    fn who_gives_up_waiting_is_not_asked_for() {
        let mut requests = Requests::started(3);
        requests.give_up(1);
        assert_eq!(requests.answer(), [0]);
        assert_eq!(requests.answer(), [2]);
        assert_eq!(requests.result(2), Some(Ok(4)));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Start,
        GiveUp(usize),
        Answer,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Start),
            1 => (0..20_usize).prop_map(Step::GiveUp),
            2 => Just(Step::Answer),
        ]
    }

    proptest! {
        #[test]
        fn everybody_gets_their_own_answer_or_learns_that_it_is_lost(
            steps in proptest::collection::vec(step(), 0..60)
        ) {
            let mut requests = Requests::new();
            for step in steps {
                match step {
                    Step::Start => requests.start(),
                    Step::GiveUp(number) => requests.give_up(number),
                    Step::Answer => { requests.answer(); }
                }
            }
            while !ASKED.with_borrow(Vec::is_empty) {
                requests.answer();
            }
            for (number, give_up) in requests.given_up.iter().enumerate() {
                let result = requests.result(number);
                if let Some(Ok(answer)) = result {
                    prop_assert_eq!(answer as usize, number * 2);
                }
                prop_assert!(result.is_some() || give_up.is_none(), "{} hangs", number);
            }
            prop_assert!(!TOGETHER.with(|together| together.busy.get()));
        }
    }
}
