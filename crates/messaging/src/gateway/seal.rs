//! What leaves the service and comes back: as text that only the service can have written.
//!
//! A client may send a request through the proxy that looks like one of the proxy's own, headers and
//! all. So what the proxy keeps for the service counts only with the service's own code on it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

/// Seals and opens.
pub struct Sealer(Hmac<Sha256>);

impl Sealer {
    /// A sealer with a key: what it seals for one purpose is nothing for another.
    pub fn new(key: &[u8], purpose: &[u8]) -> Option<Self> {
        let mac = Hmac::new_from_slice(key).ok()?;
        Some(Self(mac.chain_update(purpose)))
    }

    /// A value as text.
    pub fn seal(&self, value: &impl Serialize) -> String {
        // A struct of numbers and texts has a JSON form.
        let json = serde_json::to_vec(value).unwrap_or_default();
        let code = self.0.clone().chain_update(&json).finalize();
        format!(
            "{}.{}",
            BASE64.encode(&json),
            BASE64.encode(code.into_bytes())
        )
    }

    /// The value of a text that this key sealed.
    pub fn open<T: DeserializeOwned>(&self, text: &str) -> Option<T> {
        let (json, code) = text.split_once('.')?;
        let (json, code) = (BASE64.decode(json).ok()?, BASE64.decode(code).ok()?);
        let mac = self.0.clone().chain_update(&json);
        mac.verify_slice(&code).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PURPOSE: &[u8; 3] = b"\0a\0";

    proptest! {
        #[test]
        fn what_was_sealed_is_opened_by_the_same_key_only(value: (u64, String), key: [u8; 32], other: [u8; 32]) {
            prop_assume!(key != other);
            let sealed = Sealer::new(&key, PURPOSE).unwrap().seal(&value);
            prop_assert_eq!(Sealer::new(&key, PURPOSE).unwrap().open(&sealed), Some(value));
            for (key, purpose) in [(&other, PURPOSE), (&key, b"\0b\0")] {
                let opened = Sealer::new(key, purpose).unwrap().open::<(u64, String)>(&sealed);
                prop_assert_eq!(opened, None);
            }
        }

        #[test]
        fn what_was_changed_is_not_opened(value: String, at: prop::sample::Index, to in "[a-zA-Z0-9._-]") {
            let sealer = Sealer::new(&[7; 32], PURPOSE).unwrap();
            let sealed = sealer.seal(&value);
            let mut changed = sealed.clone();
            let at = at.index(changed.len());
            changed.replace_range(at..=at, &to);
            prop_assert!(changed == sealed || sealer.open::<String>(&changed).is_none());
        }
    }
}
