//! The secret that a receiver checks signatures with, in the form of
//! [Standard Webhooks](https://www.standardwebhooks.com).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use platform::random;
use sha2::Sha256;

use crate::{Error, Result};

/// 256 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(
            (0..4)
                .flat_map(|_| random::number().to_be_bytes())
                .collect(),
        )
    }

    /// The one that a row holds.
    #[must_use]
    pub const fn of_row(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What a row holds.
    #[must_use]
    pub fn to_row(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// The text that the receiver's owner is shown, once.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("whsec_{}", BASE64.encode(&self.0))
    }

    /// The signature of a body under an id, at a time in Unix seconds.
    pub fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> Result<String> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .map_err(|error| Error::internal(format!("the secret of a webhook: {error}")))?;
        let head = format!("{id}.{timestamp}.");
        let code = mac.chain_update(head).chain_update(body).finalize();
        Ok(format!("v1,{}", BASE64.encode(code.into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret = BASE64.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = Secret::of_row(secret).sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_secret_is_shown_in_base64() {
        let secret = Secret::generate();
        let text = secret.reveal();
        let encoded = text.strip_prefix("whsec_").unwrap();
        assert_eq!(BASE64.decode(encoded).unwrap(), secret.to_row());
        assert_eq!(secret.to_row().len(), 32);
        assert!(secret != Secret::generate());
    }
}
