//! The proxy, as the operator's settings describe it: `grip_url` and `grip_key`.

use std::cell::OnceCell;
use std::rc::Rc;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use platform::config;
use platform::http::Request;
use serde::Deserialize;

use super::seal::Sealer;
use crate::auth::signature;
use crate::{Error, Result};

/// The header with which the proxy signs each request: a JWT, HS256.
const SIGNATURE: &str = "grip-sig";
/// How far the clocks of proxy and service may be apart, in seconds.
const LEEWAY: u64 = 30;
/// The shortest key (RFC 7518, 3.2). Proxies come with `changeme`.
const MIN_KEY_BYTES: usize = 32;

/// What is sealed. No signature of the proxy, whose first character is a letter, begins like these.
const SOCKETS: &[u8] = b"\0lexiflow socket\0";
const STREAMS: &[u8] = b"\0lexiflow stream\0";

thread_local! {
    /// What the settings say; `None` inside if the gateway is off.
    static PROXY: OnceCell<Option<Rc<Proxy>>> = const { OnceCell::new() };
}

/// The proxy in front of the service.
pub struct Proxy {
    key: DecodingKey,
    rules: Validation,
    /// For the state of sockets.
    pub(super) sealer: Sealer,
    /// For the links of streams.
    pub(super) links: Sealer,
}

/// The addresses at which the proxies take what is published; none if the gateway is off.
pub async fn control_addresses() -> Result<Vec<String>> {
    let addresses = config::text("grip_url").await?;
    let addresses = addresses.split(',').map(|address| address.trim());
    let addresses = addresses.filter(|address| !address.is_empty());
    Ok(addresses
        .map(|address| address.trim_end_matches('/').to_owned())
        .collect())
}

impl Proxy {
    /// The proxy of the settings; `None` if the gateway is off.
    pub async fn configured() -> Result<Option<Rc<Self>>> {
        let is_on = !control_addresses().await?.is_empty();
        let key = config::text("grip_key").await?;
        let proxy = || {
            let proxy = is_on.then(|| Self::new(&key)).flatten();
            if is_on && proxy.is_none() {
                log::error!("the gateway is off: grip_key needs 32 bytes or more");
            }
            proxy.map(Rc::new)
        };
        Ok(PROXY.with(|known| known.get_or_init(proxy).clone()))
    }

    /// The proxy that a request came through; 404 if the gateway is off, and 403 if the request did
    /// not come through it.
    pub async fn of(request: &Request) -> Result<Rc<Self>> {
        let proxy = Self::configured().await?;
        let proxy = proxy.ok_or(Error::NotFound("There is no such route."))?;
        if proxy.signed(request) {
            Ok(proxy)
        } else {
            Err(Error::Forbidden("Only the gateway may ask for this."))
        }
    }

    fn new(key: &str) -> Option<Self> {
        if key.len() < MIN_KEY_BYTES {
            return None;
        }
        signature::install();
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = LEEWAY;
        rules.validate_aud = false;
        rules.set_required_spec_claims(&["exp"]);
        Some(Self {
            key: DecodingKey::from_secret(key.as_bytes()),
            rules,
            sealer: Sealer::new(key.as_bytes(), SOCKETS)?,
            links: Sealer::new(key.as_bytes(), STREAMS)?,
        })
    }

    /// Whether the proxy signed a request. Two signatures are none.
    #[must_use]
    pub fn signed(&self, request: &Request) -> bool {
        let mut all = request.headers().all(SIGNATURE);
        match (all.next().flatten(), all.next()) {
            (Some(token), None) => self.verifies(token),
            _ => false,
        }
    }

    fn verifies(&self, token: &str) -> bool {
        #[derive(Deserialize)]
        struct Claims {}
        decode::<Claims>(token, &self.key, &self.rules).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use serde_json::{Value, json};

    use super::*;

    const KEY: &str = "a key that only proxy and service share";

    fn in_seconds(seconds: i64) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(now.as_secs()).unwrap() + seconds
    }

    fn verifies(key: &str, claims: &Value) -> bool {
        let token = jwt_signer::hs256(key.as_bytes(), claims);
        Proxy::new(KEY).unwrap().verifies(&token)
    }

    #[test]
    fn a_signature_of_the_proxy_is_taken_and_others_are_not() {
        let claims = json!({"iss": "pushpin", "exp": in_seconds(3600)});
        assert!(verifies(KEY, &claims));
        assert!(!verifies(
            "another key that is as long as the right one",
            &claims
        ));
        assert!(!verifies(
            KEY,
            &json!({"iss": "pushpin", "exp": in_seconds(-60)})
        ));
        assert!(!verifies(KEY, &json!({"iss": "pushpin"})));
        assert!(!Proxy::new(KEY).unwrap().verifies("a.b.c"));
    }

    #[test]
    fn a_signature_without_an_algorithm_is_none() {
        let claims = json!({"exp": in_seconds(3600)}).to_string();
        let header = jwt_signer::encode(r#"{"alg":"none"}"#);
        let token = format!("{header}.{}.", jwt_signer::encode(claims));
        assert!(!Proxy::new(KEY).unwrap().verifies(&token));
    }

    #[test]
    fn a_short_key_and_the_default_of_proxies_are_refused() {
        assert!(Proxy::new("changeme").is_none());
        assert!(Proxy::new("").is_none());
    }
}
