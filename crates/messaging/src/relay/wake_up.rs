//! Waking the relay, throttled: at once when a burst of changes begins (leading edge), every few
//! milliseconds while it lasts, and once more after it (trailing edge).
//!
//! So the relay delivers many changes at a time. And a wake-up can be lost with the relay that
//! received it, while its flag keeps others from sending one; so an instance sends one more when
//! the flag has expired for sure.

use std::cell::Cell;
use std::time::Duration;

use platform::clock::Instant;
use platform::redis::{RedisError, Script, millis};
use platform::{args, clock, task};

use crate::{RedisService, keys};

/// Sends a wake-up unless one is on its way.
const WAKE_UP: Script = Script::idempotent(include_str!("wake_up.lua"));
/// The TTL of the flag that a wake-up is on its way.
const FLAG_TTL: Duration = Duration::from_secs(1);
/// The shortest time between two wake-ups by an instance.
const THROTTLE: Duration = Duration::from_millis(20);

/// The throttle of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Throttle {
    /// The instance has not sent a wake-up lately.
    Idle,
    /// It has, and there was no change since.
    Sent,
    /// It has, and there were changes since: it is going to send one for them.
    Pending,
}

thread_local! {
    static THROTTLED: Cell<Throttle> = const { Cell::new(Throttle::Idle) };
    /// Whether the instance is going to send one more after the flag has expired.
    static REPEATING: Cell<bool> = const { Cell::new(false) };
    /// When it sent its newest wake-up.
    static SENT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Wakes the relay: there are changes to deliver.
pub async fn wake_up(redis: RedisService) -> Result<(), RedisError> {
    if THROTTLED.get() != Throttle::Idle {
        THROTTLED.set(Throttle::Pending);
        return Ok(());
    }
    THROTTLED.set(Throttle::Sent);
    task::spawn(send_while_pending());
    if !REPEATING.replace(true) {
        task::spawn(repeat());
    }
    send(redis).await
}

async fn send(redis: RedisService) -> Result<(), RedisError> {
    SENT.set(Some(Instant::now()));
    let arguments = args![keys::RELAY_CHANNEL, millis(FLAG_TTL)];
    redis.script(WAKE_UP, keys::relay_flag(), arguments).await
}

async fn send_while_pending() {
    loop {
        clock::sleep(THROTTLE).await;
        if THROTTLED.get() != Throttle::Pending {
            THROTTLED.set(Throttle::Idle);
            return;
        }
        THROTTLED.set(Throttle::Sent);
        // With Redis away, the request that made the change shares it again.
        let _ = send(RedisService::optional()).await;
    }
}

/// Sends one more wake-up after the flag of the newest has expired: before that it would be refused,
/// and if the newest was lost, no other follows.
async fn repeat() {
    while let Some(left) = flag_left() {
        clock::sleep(left).await;
    }
    REPEATING.set(false);
    // With Redis away, the next change wakes the relay.
    let _ = send(RedisService::optional()).await;
}

/// How long the flag of the newest wake-up may still be there.
fn flag_left() -> Option<Duration> {
    let since = SENT.get()?.elapsed();
    let left = (FLAG_TTL + FLAG_TTL / 10).checked_sub(since)?;
    (!left.is_zero()).then_some(left)
}
