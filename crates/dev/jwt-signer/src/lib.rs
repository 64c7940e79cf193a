//! Signs access tokens for development (`cargo xtask token`) and tests. The deployed service never
//! signs.
//!
//! # Layout
//!
//! - [`hs256`]: a token signed with a shared secret
//! - [`forge`]: a token with any header and signature, for tests that expect a rejection
//! - `pair`: key pairs of the other algorithms, with feature `key-pairs`

#[cfg(feature = "key-pairs")]
mod pair;

#[cfg(feature = "key-pairs")]
pub use pair::KeyPair;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// A token with these claims, signed with a shared secret.
#[must_use]
pub fn hs256(secret: &[u8], claims: &Value) -> String {
    forge(&json!({"alg": "HS256", "typ": "JWT"}), claims, |message| {
        hmac(secret, message)
    })
}

/// A token with this header and these claims, and the signature that `sign` returns.
#[must_use]
pub fn forge(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    );
    let signature = encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// HMAC with SHA-256.
#[must_use]
pub fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length.
    Hmac::<Sha256>::new_from_slice(secret)
        .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Base64url without padding, as in tokens and keys.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7515, appendix A.1. Its header and claims have line breaks.
    #[test]
    fn the_signature_of_the_rfc_example_is_reproduced() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = URL_SAFE_NO_PAD.decode(key).unwrap();
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(encode(hmac(&key, message.as_bytes())), signature);
    }
}
