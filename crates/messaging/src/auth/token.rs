//! From a token to a [`Authentication`] (RFC 7519), by the operator's rules.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use jsonwebtoken::{Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use super::identity::{Authentication, Identity};
use super::keys::{self, Key, NoKeys};
use super::proof::Proof;
use super::scopes::{SERVICE_SCOPE, Scopes};
use super::signature;
use crate::ids::UserId;

/// How far the clocks of issuer and service may be apart.
const LEEWAY: Duration = Duration::from_secs(30);

/// How many checked tokens an instance remembers.
const REMEMBERED: usize = 64;

/// The operator's rules, read once per instance.
pub struct Verifier {
    keys: Vec<(Key, Validation)>,
    /// Tokens that passed, by their exact bytes: a signature costs up to half a
    /// millisecond to check, and the same caller comes again.
    checked: RefCell<HashMap<Box<str>, Authentication>>,
}

impl Verifier {
    /// The rules of these settings; each may be empty, but not both kinds of keys.
    pub fn new(secret: &str, jwks: &str, issuer: &str, audience: &str) -> Result<Self, NoKeys> {
        signature::install();
        let keys = keys::parse(secret, jwks)?;
        let with_rules = |key: Key| {
            let rules = rules(&key, issuer, audience);
            (key, rules)
        };
        Ok(Self {
            keys: keys.into_iter().map(with_rules).collect(),
            checked: RefCell::default(),
        })
    }

    /// Whom the token proves; `None` whatever is wrong with it.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<Authentication> {
        if let Some(authentication) = self.remembered(token) {
            return Some(authentication);
        }
        let authentication = self.check(token)?;
        self.remember(token, &authentication);
        Some(authentication)
    }

    fn check(&self, token: &str) -> Option<Authentication> {
        let header = decode_header(token).ok()?;
        // RFC 7515, 4.1.11: what must be understood, and is not, is refused.
        if header.crit.is_some() {
            return None;
        }
        let mut suitable = self.keys.iter().filter(|(key, _)| key.suits(&header));
        let token =
            suitable.find_map(|(key, rules)| decode::<Claims>(token, &key.key, rules).ok())?;
        token.claims.authentication()
    }

    fn remembered(&self, token: &str) -> Option<Authentication> {
        let checked = self.checked.borrow();
        let authentication = checked.get(token)?;
        let good = authentication
            .expires_at
            .is_some_and(|end| end > SystemTime::now());
        good.then(|| authentication.clone())
    }

    fn remember(&self, token: &str, authentication: &Authentication) {
        let mut checked = self.checked.borrow_mut();
        if checked.len() >= REMEMBERED {
            checked.clear();
        }
        checked.insert(token.into(), authentication.clone());
    }
}

fn rules(key: &Key, issuer: &str, audience: &str) -> Validation {
    let mut rules = Validation::new(key.algorithm);
    rules.leeway = LEEWAY.as_secs();
    rules.validate_nbf = true;
    // Without an audience of ours, tokens for any are taken.
    rules.validate_aud = !audience.is_empty();
    let mut required = vec!["exp"];
    if !issuer.is_empty() {
        rules.set_issuer(&[issuer]);
        required.push("iss");
    }
    if !audience.is_empty() {
        rules.set_audience(&[audience]);
        required.push("aud");
    }
    rules.set_required_spec_claims(&required);
    rules
}

/// What a token says, as far as it matters here.
#[derive(Deserialize)]
struct Claims {
    exp: f64,
    /// The user's id, as text or as a number.
    sub: Option<Value>,
    /// When it was issued, in Unix seconds.
    iat: Option<Value>,
    /// RFC 8693, 4.2: names with spaces between.
    scope: Option<Value>,
}

impl Claims {
    fn authentication(self) -> Option<Authentication> {
        let (is_service, scopes) = self.scopes();
        let subject = self.sub.map(plain_text);
        let identity = match subject.as_deref().and_then(user) {
            _ if is_service => Identity::Service,
            Some(user) => Identity::User(user),
            None if !scopes.is_empty() => Identity::Scoped,
            None => return None,
        };
        let end = Duration::try_from_secs_f64(self.exp).ok()?;
        let issued_at = self.iat.as_ref().and_then(issued_at);
        Some(Authentication {
            identity,
            proof: Proof::of_token(subject.as_deref(), issued_at),
            service: subject
                .filter(|_| !matches!(identity, Identity::User(_)))
                .map(Into::into),
            scopes,
            expires_at: Some(SystemTime::UNIX_EPOCH.checked_add(end.checked_add(LEEWAY)?)?),
        })
    }

    /// Whether it is a back end's, and what else it may do.
    fn scopes(&self) -> (bool, Scopes) {
        let names = self.scope.as_ref().and_then(Value::as_str).unwrap_or("");
        let is_service = names.split(' ').any(|name| name == SERVICE_SCOPE);
        (is_service, Scopes::of(names.split(' ')))
    }
}

/// In Unix milliseconds; `None` of what is no time.
fn issued_at(iat: &Value) -> Option<i64> {
    let at = Duration::try_from_secs_f64(iat.as_f64()?).ok()?;
    i64::try_from(at.as_millis()).ok()
}

/// The user of a subject. Other spellings of the same number are none: an issuer that compares
/// subjects as texts takes them for other people.
fn user(subject: &str) -> Option<UserId> {
    let user: UserId = subject.parse().ok()?;
    (user.to_string() == subject).then_some(user)
}

fn plain_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
