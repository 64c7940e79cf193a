//! The keys that the operator trusts: `jwt_secret` and the JWKS in `jwt_jwks`.
//!
//! A key decides its algorithm, and the token only names it: so a token cannot
//! have a public key taken for a secret, nor do without a signature.

use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::Deserialize;
use serde_json::Value;

use super::signature;

/// Why no token can be checked; its `Display` is for the operator's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// Nothing is set.
    #[error(
        "auth_mode is jwt and there is no key: set jwt_secret (HS256, 32 bytes or more) or \
         jwt_jwks (a JSON Web Key Set)"
    )]
    Unset,
    /// RFC 7518, 3.2.
    #[error("jwt_secret is too short: HS256 needs 32 bytes or more")]
    ShortSecret,
    /// Not JSON, or without `keys`.
    #[error("jwt_jwks is not a JSON Web Key Set")]
    NotJwks,
    /// It has keys, but none for this service.
    #[error(
        "jwt_jwks has no key of use: HS256, ES256, EdDSA (Ed25519) or RS256 (2048 bits or more)"
    )]
    NoneOfUse,
}

/// A key, the algorithm that it is for, and its name.
pub struct Key {
    id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl Key {
    fn new(id: Option<String>, algorithm: Algorithm, key: DecodingKey) -> Option<Self> {
        signature::Key::new(algorithm, &key).ok()?;
        Some(Self { id, algorithm, key })
    }

    /// Whether a token may have been signed with this key. A key without a
    /// name is good for every name, and a token without one for every key.
    #[must_use]
    pub fn suits(&self, header: &Header) -> bool {
        let named = self.id.as_ref().zip(header.kid.as_ref());
        self.algorithm == header.alg && named.is_none_or(|(mine, wanted)| mine == wanted)
    }
}

/// The keys of these settings, of which either may be empty.
pub fn parse(secret: &str, jwks: &str) -> Result<Vec<Key>, NoKeys> {
    let mut keys = Vec::new();
    if !secret.is_empty() {
        let key = DecodingKey::from_secret(secret.as_bytes());
        keys.push(Key::new(None, Algorithm::HS256, key).ok_or(NoKeys::ShortSecret)?);
    }
    if !jwks.trim().is_empty() {
        keys.extend(of_set(jwks)?);
    }
    if keys.is_empty() {
        return Err(NoKeys::Unset);
    }
    Ok(keys)
}

/// RFC 7517, 5: keys of a set that are not understood are passed over.
fn of_set(jwks: &str) -> Result<Vec<Key>, NoKeys> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let Set { keys: all } = serde_json::from_str(jwks).map_err(|_| NoKeys::NotJwks)?;
    let count = all.len();
    let keys: Vec<Key> = all.into_iter().filter_map(of_jwk).collect();
    let unused = count - keys.len();
    if keys.is_empty() {
        return Err(NoKeys::NoneOfUse);
    }
    if unused > 0 {
        log::warn!("jwt_jwks: {unused} of {count} keys are of no use");
    }
    Ok(keys)
}

fn of_jwk(value: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let algorithm = algorithm(&jwk.algorithm)?;
    let declared = jwk.common.key_algorithm;
    if !checks_signatures(&jwk.common) || declared.is_some_and(|name| name != algorithm.into()) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Key::new(jwk.common.key_id, algorithm, key)
}

/// The one algorithm that a kind of key is for here.
const fn algorithm(parameters: &AlgorithmParameters) -> Option<Algorithm> {
    match parameters {
        AlgorithmParameters::OctetKey(_) => Some(Algorithm::HS256),
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if matches!(key.curve, EllipticCurve::P256) => {
            Some(Algorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if matches!(key.curve, EllipticCurve::Ed25519) => {
            Some(Algorithm::EdDSA)
        }
        _ => None,
    }
}

fn checks_signatures(key: &CommonParameters) -> bool {
    let for_signatures = |purpose: &PublicKeyUse| *purpose == PublicKeyUse::Signature;
    let may_verify = |all: &Vec<KeyOperations>| all.contains(&KeyOperations::Verify);
    key.public_key_use.as_ref().is_none_or(for_signatures)
        && key.key_operations.as_ref().is_none_or(may_verify)
}

#[cfg(test)]
mod tests {
    use jwt_signer::KeyPair;
    use serde_json::json;

    use super::*;

    const SECRET: &str = "a secret that is 32 bytes or more";

    fn set(keys: &[Value]) -> Result<Vec<Key>, NoKeys> {
        parse("", &json!({ "keys": keys }).to_string())
    }

    fn fault(secret: &str, jwks: &str) -> NoKeys {
        match parse(secret, jwks) {
            Err(fault) => fault,
            Ok(_) => panic!("there are keys"),
        }
    }

    #[test]
    fn a_missing_key_and_an_invalid_one_have_different_errors() {
        assert_eq!(fault("", " "), NoKeys::Unset);
        assert_eq!(fault("short", ""), NoKeys::ShortSecret);
        assert_eq!(fault("", "{"), NoKeys::NotJwks);
        assert_eq!(fault(SECRET, "[]"), NoKeys::NotJwks);
        assert_eq!(fault("", r#"{"keys":[{"kty":"OKP"}]}"#), NoKeys::NoneOfUse);
    }

    #[test]
    fn every_kind_of_key_has_its_one_algorithm() {
        let pairs = [KeyPair::es256(), KeyPair::eddsa(), KeyPair::rs256()];
        let mut jwks: Vec<Value> = pairs.iter().map(|pair| pair.jwk("k")).collect();
        jwks.push(json!({"kty": "oct", "k": jwt_signer::encode(SECRET)}));
        let found: Vec<_> = set(&jwks).ok().unwrap_or_default();
        let algorithms: Vec<_> = found.iter().map(|key| key.algorithm).collect();
        use Algorithm::{ES256, EdDSA, HS256, RS256};
        assert_eq!(algorithms, [ES256, EdDSA, RS256, HS256]);
    }

    #[test]
    fn keys_for_something_else_are_passed_over() {
        let changed = |name: &str, value: Value| {
            let mut jwk = KeyPair::es256().jwk("k");
            jwk[name] = value;
            set(&[jwk]).is_ok()
        };
        assert!(changed("use", "sig".into()));
        assert!(!changed("use", "enc".into()));
        assert!(!changed("key_ops", json!(["sign"])));
        assert!(!changed("alg", "RS256".into()));
        assert!(!changed("alg", "HS256".into()));
        assert!(!changed("crv", "P-384".into()));
        assert!(!changed("x", "AAAA".into()));
        assert!(!changed("kty", "RSA".into()));
    }

    #[test]
    fn weak_keys_are_passed_over() {
        let octets = |k: &str| json!({"kty": "oct", "k": jwt_signer::encode(k)});
        assert!(set(&[octets("short")]).is_err());
        let point = json!({"kty": "OKP", "crv": "Ed25519", "x": jwt_signer::encode([0; 32])});
        assert!(set(&[point]).is_err());
        let short = json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"});
        assert!(set(&[short]).is_err());
        let rsa = json!({"kty": "RSA", "e": "AQAB", "n": jwt_signer::encode([0xff; 128])});
        assert!(set(&[rsa]).is_err());
    }
}
