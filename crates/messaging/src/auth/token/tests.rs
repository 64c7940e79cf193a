use std::time::{Duration, SystemTime};

use jwt_signer::{KeyPair, encode, forge, hmac, hs256};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::auth::Identity;
use crate::ids::UserId;

const SECRET: &str = "a secret that is 32 bytes or more";

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn claims() -> Value {
    json!({"sub": "7", "exp": now() + 60})
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

fn by_secret() -> Verifier {
    Verifier::new(SECRET, "", "", "").ok().unwrap()
}

fn by_keys(keys: &[Value]) -> Verifier {
    let jwks = json!({ "keys": keys }).to_string();
    Verifier::new("", &jwks, "", "").ok().unwrap()
}

fn signed(claims: &Value) -> String {
    hs256(SECRET.as_bytes(), claims)
}

/// Whom a token with these claims proves.
fn identity(claims: &Value) -> Option<Identity> {
    by_secret()
        .verify(&signed(claims))
        .map(|authentication| authentication.identity)
}

fn user(id: i64) -> Option<Identity> {
    Some(Identity::User(UserId::try_from(id).unwrap()))
}

#[test]
fn the_subject_is_the_user() {
    assert_eq!(identity(&claims()), user(7));
    assert_eq!(identity(&with("sub", 8)), user(8));
    for other in [
        json!("x"),
        json!("+7"),
        json!("0042"),
        json!("07"),
        json!(" 7"),
        json!("7.0"),
        json!("٧"),
        json!(0),
        json!(7.5),
        json!(7.0),
        json!(7e0),
        json!(-7),
        json!([7]),
        json!(null),
    ] {
        assert_eq!(identity(&with("sub", other)), None);
    }
    assert_eq!(identity(&json!({"exp": now() + 60})), None);
}

#[test]
fn the_scope_makes_a_service_with_or_without_a_name() {
    let scope = |text: &str| identity(&with("scope", text));
    assert_eq!(scope("openid messaging:service"), Some(Identity::Service));
    assert_eq!(scope("messaging:services"), user(7));
    assert_eq!(scope("MESSAGING:SERVICE"), user(7));
    let service = json!({"exp": now() + 60, "scope": SERVICE_SCOPE});
    assert_eq!(identity(&service), Some(Identity::Service));
    let mut named = service;
    named["sub"] = "billing".into();
    let authentication = by_secret().verify(&signed(&named)).unwrap();
    assert_eq!(authentication.service.as_deref(), Some("billing"));
}

#[test]
fn every_algorithm_is_checked_with_its_own_key() {
    for pair in [KeyPair::es256(), KeyPair::eddsa(), KeyPair::rs256()] {
        let verifier = by_keys(&[pair.jwk("a")]);
        let good = pair.token(Some("a"), &claims());
        assert!(verifier.verify(&good).is_some(), "{}", pair.algorithm());
        let tampered = good.replacen('.', ".e30", 1);
        assert!(verifier.verify(&tampered).is_none(), "{}", pair.algorithm());
        let (message, _) = good.rsplit_once('.').unwrap();
        assert!(verifier.verify(&format!("{message}.")).is_none());
        assert!(
            verifier
                .verify(&format!("{message}.{}", encode([0; 64])))
                .is_none()
        );
    }
}

#[test]
fn a_key_is_found_by_its_name_and_old_and_new_ones_are_good_together() {
    let (old, new) = (KeyPair::es256(), KeyPair::es256());
    let verifier = by_keys(&[old.jwk("old"), new.jwk("new")]);
    let passes = |pair: &KeyPair, kid| verifier.verify(&pair.token(kid, &claims())).is_some();
    assert!(passes(&old, Some("old")) && passes(&new, Some("new")));
    assert!(passes(&old, None) && passes(&new, None));
    assert!(!passes(&old, Some("new")));
    assert!(!passes(&old, Some("unknown")));
    assert!(!passes(&KeyPair::es256(), Some("old")));
}

#[test]
fn a_token_without_a_signature_is_refused() {
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let token = forge(&json!({"alg": name}), &claims(), |_| vec![]);
        assert!(by_secret().verify(&token).is_none(), "{name}");
    }
}

#[test]
fn a_public_key_is_not_taken_for_a_secret() {
    let pair = KeyPair::rs256();
    let jwk = pair.jwk("a");
    let verifier = by_keys(std::slice::from_ref(&jwk));
    let modulus = jwk["n"].as_str().unwrap().as_bytes();
    for secret in [modulus, jwk.to_string().as_bytes()] {
        let token = forge(&json!({"alg": "HS256", "kid": "a"}), &claims(), |message| {
            hmac(secret, message)
        });
        assert!(verifier.verify(&token).is_none());
    }
    // Nor does a token choose another algorithm for the key that it names.
    let token = forge(&json!({"alg": "PS256", "kid": "a"}), &claims(), |m| {
        pair.sign(m)
    });
    assert!(verifier.verify(&token).is_none());
}

#[test]
fn a_key_inside_the_token_is_not_trusted() {
    let (ours, theirs) = (KeyPair::eddsa(), KeyPair::eddsa());
    let header = json!({"alg": "EdDSA", "jwk": theirs.jwk("a"), "kid": "a"});
    let token = forge(&header, &claims(), |message| theirs.sign(message));
    assert!(by_keys(&[ours.jwk("a")]).verify(&token).is_none());
}

#[test]
fn times_have_a_leeway_of_thirty_seconds() {
    assert_eq!(identity(&with("exp", now() - 20)), user(7));
    assert_eq!(identity(&with("exp", now() - 40)), None);
    assert_eq!(identity(&with("nbf", now() + 20)), user(7));
    assert_eq!(identity(&with("nbf", now() + 40)), None);
    for other in [json!(null), json!("4000000000"), json!(-1), json!(1e300)] {
        assert_eq!(identity(&with("exp", other.clone())), None, "{other}");
    }
    assert_eq!(identity(&json!({"sub": "7"})), None);
}

#[test]
fn a_token_that_passed_is_refused_once_it_expires() {
    let verifier = by_secret();
    // Good for a second, with the leeway.
    let token = signed(&with("exp", now() - 29));
    assert!(verifier.verify(&token).is_some());
    std::thread::sleep(Duration::from_millis(2100));
    assert!(verifier.verify(&token).is_none());
}

#[test]
fn issuer_and_audience_count_where_they_are_set() {
    let verifier = Verifier::new(SECRET, "", "https://us", "messaging")
        .ok()
        .unwrap();
    let passes = |iss: Value, aud: Value| {
        let mut claims = claims();
        claims["iss"] = iss;
        claims["aud"] = aud;
        verifier.verify(&signed(&claims)).is_some()
    };
    assert!(passes("https://us".into(), "messaging".into()));
    assert!(passes("https://us".into(), json!(["billing", "messaging"])));
    assert!(!passes("https://them".into(), "messaging".into()));
    assert!(!passes("https://us".into(), "billing".into()));
    assert!(!passes("https://us".into(), json!([])));
    assert!(!passes("https://us".into(), json!(null)));
    assert!(!passes(json!(null), "messaging".into()));
    // Where they are not set, a token may have them.
    assert_eq!(identity(&with("aud", "billing")), user(7));
}

#[test]
fn what_must_be_understood_and_is_not_is_refused() {
    let header = json!({"alg": "HS256", "crit": ["b64"], "b64": false});
    let token = forge(&header, &claims(), |message| {
        hmac(SECRET.as_bytes(), message)
    });
    assert!(by_secret().verify(&token).is_none());
}

#[test]
fn a_repeated_claim_is_refused() {
    let claims = format!(r#"{{"sub":"7","sub":"8","exp":{}}}"#, now() + 60);
    let message = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode(claims));
    let signature = encode(hmac(SECRET.as_bytes(), message.as_bytes()));
    assert!(
        by_secret()
            .verify(&format!("{message}.{signature}"))
            .is_none()
    );
}

proptest! {
    #[test]
    fn any_text_is_refused(token in "\\PC{0,60}|[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,4}") {
        prop_assert!(by_secret().verify(&token).is_none());
    }

    #[test]
    fn a_change_of_any_byte_is_noticed(at in 0..1000_usize, to in any::<u8>()) {
        let token = signed(&claims());
        let mut changed = token.clone().into_bytes();
        let at = at % changed.len();
        changed[at] = to;
        if let Ok(changed) = String::from_utf8(changed) && changed != token {
            prop_assert!(by_secret().verify(&changed).is_none());
        }
    }
}
