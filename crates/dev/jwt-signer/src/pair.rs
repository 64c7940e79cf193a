//! Random key pairs.

use ed25519_dalek::Signer;
use p256::elliptic_curve::Generate;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{encode, forge};

/// A private key and its public key.
pub enum KeyPair {
    /// ECDSA on P-256 with SHA-256.
    Es256(p256::ecdsa::SigningKey),
    /// Ed25519.
    EdDsa(ed25519_dalek::SigningKey),
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256(Box<rsa::PrivateKey>),
}

impl KeyPair {
    /// A random key.
    #[must_use]
    pub fn es256() -> Self {
        Self::Es256(p256::ecdsa::SigningKey::generate_from_rng(&mut rand::rng()))
    }

    /// A random key.
    #[must_use]
    pub fn eddsa() -> Self {
        Self::EdDsa(ed25519_dalek::SigningKey::from_bytes(&rand::random()))
    }

    /// A random key of 2048 bits.
    ///
    /// # Panics
    ///
    /// When the system has no source of randomness.
    #[must_use]
    pub fn rs256() -> Self {
        let key = rsa::PrivateKey::new(&mut rand::rng(), 2048);
        Self::Rs256(Box::new(key.expect("a key of this size can be made")))
    }

    /// The name of the algorithm in tokens.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
            Self::Rs256(_) => "RS256",
        }
    }

    /// A token with these claims.
    #[must_use]
    pub fn token(&self, kid: Option<&str>, claims: &Value) -> String {
        let mut header = json!({"alg": self.algorithm(), "typ": "JWT"});
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        forge(&header, claims, |message| self.sign(message))
    }

    /// The signature in the form of tokens.
    ///
    /// # Panics
    ///
    /// When the key is too small for the hash.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Self::EdDsa(key) => key.sign(message).to_bytes().to_vec(),
            Self::Rs256(key) => key
                .sign(rsa::Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
                .expect("2048 bits hold a hash"),
        }
    }

    /// The public key as a member of a JWKS.
    #[must_use]
    pub fn jwk(&self, kid: &str) -> Value {
        let mut jwk = match self {
            Self::Es256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                json!({"kty": "EC", "crv": "P-256",
                    "x": point.x().map(encode), "y": point.y().map(encode)})
            }
            Self::EdDsa(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key.verifying_key())})
            }
            Self::Rs256(key) => {
                let (n, e) = (key.n().to_be_bytes(), key.e().to_be_bytes_trimmed_vartime());
                json!({"kty": "RSA", "n": encode(n), "e": encode(e)})
            }
        };
        jwk["kid"] = kid.into();
        jwk["use"] = "sig".into();
        jwk["alg"] = self.algorithm().into();
        jwk
    }
}
