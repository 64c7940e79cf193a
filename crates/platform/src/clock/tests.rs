use futures::FutureExt;
use futures::future::pending;

use super::manual::advance;
use super::*;

#[test]
fn times_have_milliseconds_and_a_z() {
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_042_999);
    assert_eq!(rfc3339(at), "2023-11-14T22:13:20.042Z");
}

#[test]
fn unix_milliseconds_are_times_up_to_the_year_9999() {
    let time = |at| rfc3339_of_unix_ms(at);
    let expected = Some("2023-11-14T22:13:20.042Z".to_owned());
    assert_eq!(time(1_700_000_000_042.0), expected);
    for none in [-1.0, f64::NAN, f64::INFINITY, 9e15] {
        assert_eq!(time(none), None, "{none}");
    }
}

#[test]
fn a_timeout_passes_with_its_own_timer() {
    let mut work = pin!(timeout(Duration::from_secs(1), pending::<()>()));
    assert_eq!(work.as_mut().now_or_never(), None);
    advance(Duration::from_millis(999));
    assert_eq!(work.as_mut().now_or_never(), None);
    advance(Duration::from_millis(1));
    assert_eq!(work.as_mut().now_or_never(), Some(Err(Elapsed)));
}

#[test]
fn work_that_is_done_in_time_gives_its_value() {
    let work = timeout(Duration::from_secs(1), async { 7 });
    assert_eq!(work.now_or_never(), Some(Ok(7)));
}

#[test]
fn a_timeout_under_a_coarse_timer_comes_late_by_two_ticks_at_the_most() {
    let limit = Duration::from_secs(1);
    let mut work = pin!(with_coarse_timer(timeout(limit, pending::<()>())));
    let mut waited = Duration::ZERO;
    while work.as_mut().now_or_never().is_none() {
        advance(TICK / 2);
        waited += TICK / 2;
        assert!(waited <= limit + 2 * TICK, "no timeout after {waited:?}");
    }
    assert!(waited >= limit, "after {waited:?} already");
}

#[test]
fn ticks_do_not_leak_out_of_the_work_that_counts_them() {
    assert_eq!(
        with_coarse_timer(async { TICKS.get() }).now_or_never(),
        Some(Some(0))
    );
    assert_eq!(TICKS.get(), None);
}
