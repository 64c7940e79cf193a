//! The checks of signatures, for `jsonwebtoken`: RustCrypto's newest crates,
//! and of these only what checks. Nothing here can sign.

use ed25519_dalek::{Signature as EdSignature, VerifyingKey as EdKey};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error as Mismatch, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature as EcSignature, VerifyingKey as EcKey};
use rsa::{BoxedUint, Pkcs1v15Sign, PublicKey as RsaKey};
use sha2::{Digest, Sha256};

/// The shortest secret and the smallest RSA modulus (RFC 7518, 3.2 and 3.3).
const MIN_SECRET_BYTES: usize = 32;
const MIN_RSA_BITS: usize = 2048;
/// A larger one is no safer and lets one request cost milliseconds.
const MAX_RSA_BITS: usize = 4096;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: |algorithm, key| Ok(Box::new(Key::new(*algorithm, key)?)),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes `jsonwebtoken` use these checks.
pub fn install() {
    // The second time it is there already.
    let _ = PROVIDER.install_default();
}

/// A key of one algorithm, ready for use.
pub enum Key {
    Hs256(Box<Hmac<Sha256>>),
    Es256(Box<EcKey>),
    EdDsa(Box<EdKey>),
    Rs256(Box<RsaKey>),
}

impl Key {
    /// Reads a key; an error unless it is good for this algorithm.
    pub fn new(algorithm: Algorithm, key: &DecodingKey) -> Result<Self> {
        let read = match (algorithm, key.kind()) {
            (Algorithm::HS256, DecodingKeyKind::SecretOrDer(secret)) => hs256(secret),
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => es256(point),
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(point)) => eddsa(point),
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => rs256(n, e),
            _ => None,
        };
        read.ok_or_else(|| ErrorKind::InvalidKeyFormat.into())
    }
}

fn hs256(secret: &[u8]) -> Option<Key> {
    let mac = Hmac::new_from_slice(secret).ok()?;
    (secret.len() >= MIN_SECRET_BYTES).then(|| Key::Hs256(Box::new(mac)))
}

fn es256(point: &[u8]) -> Option<Key> {
    let key = EcKey::from_sec1_bytes(point).ok()?;
    Some(Key::Es256(Box::new(key)))
}

fn eddsa(point: &[u8]) -> Option<Key> {
    let key = EdKey::from_bytes(point.try_into().ok()?).ok()?;
    (!key.is_weak()).then(|| Key::EdDsa(Box::new(key)))
}

fn rs256(modulus: &[u8], exponent: &[u8]) -> Option<Key> {
    let number = BoxedUint::from_be_slice_vartime;
    let sizes = MIN_RSA_BITS..=MAX_RSA_BITS;
    let key = RsaKey::new_with_size_limits(number(modulus), number(exponent), sizes).ok()?;
    Some(Key::Rs256(Box::new(key)))
}

impl Verifier<Vec<u8>> for Key {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Mismatch> {
        let fits = match self {
            Self::Hs256(mac) => {
                let mac = (**mac).clone().chain_update(message);
                mac.verify_slice(signature).is_ok()
            }
            Self::Es256(key) => EcSignature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::EdDsa(key) => EdSignature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::Rs256(key) => {
                let scheme = Pkcs1v15Sign::new::<Sha256>();
                let hash = Sha256::digest(message);
                key.verify(scheme, &hash, signature).is_ok()
            }
        };
        fits.then_some(()).ok_or_else(Mismatch::new)
    }
}

impl JwtVerifier for Key {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::HS256,
            Self::Es256(_) => Algorithm::ES256,
            Self::EdDsa(_) => Algorithm::EdDSA,
            Self::Rs256(_) => Algorithm::RS256,
        }
    }
}
