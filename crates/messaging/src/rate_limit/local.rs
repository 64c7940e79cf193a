//! The rate of callers while Redis is away: the same algorithm in the memory of an instance, for
//! this instance's requests only.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use platform::clock::Instant;

use super::{Quota, cost};

/// How many callers an instance keeps account of.
const MAX_CALLERS: usize = 1024;

thread_local! {
    static RATES: RefCell<Rates> = RefCell::default();
}

/// Takes requests from a caller's rate at this instance.
pub fn take(limit: u64, key: &str, requests: u64) -> Quota {
    RATES.with_borrow_mut(|rates| rates.take(limit, key, requests))
}

/// When all that each caller asked for is paid off, since `start`.
struct Rates {
    start: Instant,
    paid_off: HashMap<String, Duration>,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            paid_off: HashMap::new(),
        }
    }
}

impl Rates {
    fn take(&mut self, limit: u64, key: &str, requests: u64) -> Quota {
        let now = self.start.elapsed();
        let each = Duration::from_micros(cost(limit));
        let (most, price) = (times(each, limit), times(each, requests));
        let before = self.paid_off.get(key).copied().unwrap_or_default();
        let ahead = before.saturating_sub(now).min(most);
        let owed = ahead + price;
        if owed > most {
            return Quota {
                limit,
                remaining: 0,
                reset: ahead,
                retry_after: Some(owed - most),
            };
        }
        self.make_room(now);
        self.paid_off.insert(key.to_owned(), now + owed);
        let left = (most - owed).as_micros() / each.as_micros();
        Quota {
            limit,
            remaining: u64::try_from(left).unwrap_or(u64::MAX),
            reset: owed,
            retry_after: None,
        }
    }

    /// Forgets who owes nothing; where all do, the one who owes least.
    fn make_room(&mut self, now: Duration) {
        if self.paid_off.len() < MAX_CALLERS {
            return;
        }
        self.paid_off.retain(|_, paid_off| *paid_off > now);
        if self.paid_off.len() < MAX_CALLERS {
            return;
        }
        let least = self.paid_off.iter().min_by_key(|(_, paid_off)| **paid_off);
        if let Some(key) = least.map(|(key, _)| key.clone()) {
            self.paid_off.remove(&key);
        }
    }
}

/// At most an hour: durations of limits that no operator sets must not overflow.
fn times(each: Duration, count: u64) -> Duration {
    let micros = u64::try_from(each.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(micros.saturating_mul(count)).min(Duration::from_secs(3600))
}

#[cfg(test)]
mod tests {
    use platform::clock::manual::advance;
    use proptest::prelude::*;

    use super::*;

    fn is_allowed(rates: &mut Rates, limit: u64, key: &str, requests: u64) -> bool {
        rates.take(limit, key, requests).retry_after.is_none()
    }

    #[test]
    fn a_bucket_is_emptied_and_refills_evenly() {
        let mut rates = Rates::default();
        for left in (0..6).rev() {
            assert_eq!(rates.take(6, "a", 1).remaining, left);
        }
        let refused = rates.take(6, "a", 1);
        assert_eq!(refused.retry_after, Some(Duration::from_secs(10)));
        assert!(is_allowed(&mut rates, 6, "b", 1));
        advance(Duration::from_secs(10));
        assert!(is_allowed(&mut rates, 6, "a", 1));
        assert!(!is_allowed(&mut rates, 6, "a", 1));
    }

    #[test]
    fn a_request_may_count_as_several() {
        let mut rates = Rates::default();
        assert_eq!(rates.take(6, "a", 4).remaining, 2);
        assert!(!is_allowed(&mut rates, 6, "a", 3));
        assert!(is_allowed(&mut rates, 6, "a", 2));
    }

    proptest! {
        #[test]
        fn no_more_callers_are_kept_than_fit(
            keys in proptest::collection::vec(0..5000_u32, 2000..3000),
            wait in 0..100_u64,
        ) {
            let mut rates = Rates::default();
            for key in keys {
                rates.take(60, &key.to_string(), 1);
                advance(Duration::from_millis(wait));
                prop_assert!(rates.paid_off.len() <= MAX_CALLERS);
            }
        }

        #[test]
        fn any_limit_and_count_is_answered(limit in 1..u64::MAX, requests: u64) {
            let mut rates = Rates::default();
            let quota = rates.take(limit, "a", requests);
            prop_assert_eq!(quota.limit, limit);
        }
    }

    #[test]
    fn the_caller_with_the_largest_debt_is_kept_longest() {
        let mut rates = Rates::default();
        assert!(is_allowed(&mut rates, 60, "hasty", 60));
        for caller in 0..2 * MAX_CALLERS {
            rates.take(60, &caller.to_string(), 1);
        }
        assert!(!is_allowed(&mut rates, 60, "hasty", 1));
    }
}
