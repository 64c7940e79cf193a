//! The state of an instance of the component.

use std::{
    cell::Cell,
    hint::black_box,
    time::{Duration, Instant, SystemTime},
};

use anyhow::Result;
use serde_json::{Value, json};
use spin_sdk::wasip3::{clocks::monotonic_clock, spawn};

use crate::number;

thread_local! {
    static STARTED: Cell<Option<u128>> = const { Cell::new(None) };
    static SERVED: Cell<u32> = const { Cell::new(0) };
    static AT_ONCE: Cell<u32> = const { Cell::new(0) };
    static MOST_AT_ONCE: Cell<u32> = const { Cell::new(0) };
}

/// Counts a request until it is dropped.
pub struct Served(());

/// Counts a request.
pub fn begin_request() -> Served {
    if STARTED.get().is_none() {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        STARTED.set(Some(now.as_nanos()));
    }
    SERVED.set(SERVED.get() + 1);
    AT_ONCE.set(AT_ONCE.get() + 1);
    MOST_AT_ONCE.set(MOST_AT_ONCE.get().max(AT_ONCE.get()));
    Served(())
}

impl Drop for Served {
    fn drop(&mut self) {
        AT_ONCE.set(AT_ONCE.get() - 1);
    }
}

/// `instance` identifies the instance.
pub fn describe() -> Value {
    json!({
        "instance": STARTED.get().map(|nanos| nanos.to_string()),
        "served": SERVED.get(),
        "mostAtOnce": MOST_AT_ONCE.get(),
    })
}

/// Panics after `ms` milliseconds.
pub async fn panic_after(query: &str) -> Result<Value> {
    sleep(query).await?;
    panic!("as the test wished");
}

/// Waits for `ms` milliseconds, and lets other requests run.
pub async fn sleep(query: &str) -> Result<Value> {
    pause(number(query, "ms")?).await;
    Ok(describe())
}

/// Computes for `ms` milliseconds, without a pause.
pub fn spin(query: &str) -> Result<Value> {
    let end = Instant::now() + Duration::from_millis(number(query, "ms")?);
    let mut rounds = 0_u64;
    while Instant::now() < end {
        rounds = black_box(rounds + 1);
    }
    Ok(describe())
}

/// Answers at once, and does something `ms` milliseconds later.
pub fn later(query: &str) -> Result<Value> {
    let milliseconds = number(query, "ms")?;
    spawn(async move {
        pause(milliseconds).await;
        eprintln!("what was left is done");
    });
    Ok(describe())
}

/// Waits without keeping the instance busy.
pub async fn pause(milliseconds: u64) {
    if milliseconds > 0 {
        monotonic_clock::wait_for(milliseconds * 1_000_000).await;
    }
}
