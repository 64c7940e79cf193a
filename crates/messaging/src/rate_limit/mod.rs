//! How much one caller may ask for: `rate_limit` requests a minute, counted in Redis for all
//! instances together. What costs more than most requests counts as several.
//!
//! While Redis is away, each instance counts by itself.

mod local;

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::auth::{AuthMode, Authentication, Identity, auth_mode};
use crate::ids::UserId;
use crate::{RedisService, Result, keys};
use platform::redis::{RedisError, Script, unexpected};
use platform::{args, config};

/// Takes requests from a caller's rate.
const GCRA: Script = Script::once(include_str!("gcra.lua"));

/// The limit of callers with an identity where the operator sets none: ten
/// requests a second. A busy person with three devices needs two or three.
const DEFAULT_LIMIT: u64 = 600;
const MINUTE: Duration = Duration::from_secs(60);

thread_local! {
    static REPORTED: Cell<bool> = const { Cell::new(false) };
}

/// The operator's limit in requests per minute; `None` if there is none.
pub async fn limit() -> Result<Option<u64>> {
    let limit = match &*config::text("rate_limit").await? {
        "" if auth_mode().await? == AuthMode::Open => 0,
        "" => DEFAULT_LIMIT,
        _ => config::number("rate_limit").await?,
    };
    Ok((limit > 0).then_some(limit))
}

/// Where a caller stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests per minute.
    pub limit: u64,
    /// How many more may be made at once.
    pub remaining: u64,
    /// Until the whole limit is there again.
    pub reset: Duration,
    /// If the request is refused: until the next may be made.
    pub retry_after: Option<Duration>,
}

/// Takes a request from a rate that counts as so many.
pub async fn take(limit: u64, key: &str, requests: u64) -> Quota {
    let requests = requests.clamp(1, limit);
    let arguments = args![clamped(cost(limit)), clamped(limit), clamped(requests)];
    let reply: Result<Vec<i64>, RedisError> =
        RedisService::optional().script(GCRA, key, arguments).await;
    let quota = reply.and_then(|reply| Quota::read(limit, &reply).ok_or(unexpected("a quota")));
    match quota {
        Ok(quota) => {
            REPORTED.set(false);
            quota
        }
        Err(cause) => {
            if !REPORTED.replace(true) {
                log::warn!("rate limiting by each instance alone: Redis unavailable: {cause}");
            }
            local::take(limit, key, requests)
        }
    }
}

/// What one request costs, in µs.
#[must_use]
pub fn cost(limit: u64) -> u64 {
    let minute = u64::try_from(MINUTE.as_micros()).unwrap_or(u64::MAX);
    (minute / limit.max(1)).max(1)
}

/// How long it takes until so many requests have come back.
#[must_use]
pub fn price(limit: u64, requests: u64) -> Duration {
    Duration::from_micros(cost(limit).saturating_mul(requests))
}

fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Quota {
    /// Reads what the script answers.
    fn read(limit: u64, answer: &[i64]) -> Option<Self> {
        let &[allowed, number, reset] = answer else {
            return None;
        };
        let number = u64::try_from(number).ok()?;
        let (remaining, retry_after) = match allowed {
            0 => (0, Some(Duration::from_micros(number))),
            _ => (number, None),
        };
        Some(Self {
            limit,
            remaining,
            reset: Duration::from_micros(u64::try_from(reset).ok()?),
            retry_after,
        })
    }
}

/// Whole seconds, rounded up: who waits for so long does not come too early.
#[must_use]
pub fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// The key of a caller's rate: the user, the service, else where they call
/// from. In open mode the user is whom the request names, as far as that is
/// known before its body is read.
#[must_use]
pub fn key(authentication: &Authentication, named: Option<UserId>, client: Option<&str>) -> String {
    match (authentication.identity, named) {
        (Identity::User(user), _) | (Identity::Open, Some(user)) => keys::rate_of_user(user),
        (Identity::Service | Identity::Scoped, _) => {
            let name = authentication.service.as_deref().unwrap_or_default();
            keys::rate_of_service(Sha256::digest(name))
        }
        (Identity::Open, None) => match client.and_then(address) {
            Some(address) => keys::rate_of_address(address),
            None => keys::rate_of_address("unknown"),
        },
    }
}

/// The address that the host reports, without the port.
fn address(client: &str) -> Option<IpAddr> {
    let with_port = client.parse().map(|client: SocketAddr| client.ip());
    with_port.or_else(|_| client.parse()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_user_has_one_limit_for_all_their_devices() {
        let of = |identity, service: Option<&str>, client| {
            let authentication = Authentication {
                identity,
                service: service.map(Into::into),
                ..Authentication::none()
            };
            key(&authentication, None, client)
        };
        let user = Identity::User(UserId::try_from(7).unwrap());
        let (here, there) = (Some("10.0.0.1:4000"), Some("[2001:db8::1]:4001"));
        assert_eq!(of(user, None, here), "rate:user:7");
        assert_eq!(of(user, None, here), of(user, None, there));
        assert_eq!(
            key(&Authentication::none(), UserId::try_from(7).ok(), here),
            "rate:user:7"
        );
        assert_eq!(of(Identity::Open, None, here), "rate:address:10.0.0.1");
        assert_eq!(of(Identity::Open, None, there), "rate:address:2001:db8::1");
        assert_eq!(
            of(Identity::Open, None, Some("x:y")),
            "rate:address:unknown"
        );
        let service = |name| of(Identity::Service, name, here);
        assert_ne!(service(Some("billing")), service(Some("archive")));
        assert_ne!(service(Some("billing")), service(None));
    }

    #[test]
    fn an_answer_of_the_script_is_read() {
        let allowed = Quota::read(60, &[1, 59, 1_000_000]).unwrap();
        assert_eq!((allowed.remaining, allowed.retry_after), (59, None));
        let refused = Quota::read(60, &[0, 250_000, 59_750_000]).unwrap();
        assert_eq!(refused.remaining, 0);
        assert_eq!(refused.retry_after.map(seconds), Some(1));
        assert_eq!(seconds(refused.reset), 60);
        assert_eq!(Quota::read(60, &[1]), None);
    }

    proptest! {
        #[test]
        fn a_minute_of_requests_costs_a_minute_at_the_most(limit in 1..60_000_000_u64) {
            let all = cost(limit) * limit;
            prop_assert!(all <= 60_000_000);
            prop_assert!(all + limit > 60_000_000);
        }

        #[test]
        fn any_limit_has_a_cost(limit in any::<u64>()) {
            prop_assert!(cost(limit) >= 1);
        }

        #[test]
        fn any_client_has_a_key(client in "\\PC*") {
            prop_assert!(key(&Authentication::none(), None, Some(&client)).starts_with("rate:address:"));
        }
    }
}
