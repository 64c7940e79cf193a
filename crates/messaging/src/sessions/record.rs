//! A session as Redis holds it.

use platform::clock;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Subject;
use crate::auth::Scopes;
use crate::ids::SessionId;
use crate::keys;

/// A secret's length: 256 bits in hexadecimal.
const SECRET_LENGTH: usize = 64;

/// The SHA-256 of a session's secret, in hexadecimal: all that the service keeps of the secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionKey(String);

impl SessionKey {
    /// The key of a secret; `None` if the text could not be one.
    #[must_use]
    pub fn of_secret(secret: &str) -> Option<Self> {
        let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let well_formed = secret.len() == SECRET_LENGTH && secret.bytes().all(hexadecimal);
        well_formed.then(|| Self(keys::hexadecimal(&Sha256::digest(secret))))
    }

    /// A key that the index of a subject holds.
    pub(super) const fn of_index(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whom a session proves. It does not change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Session {
    /// Its id, which is no secret.
    pub id: SessionId,
    /// Whose it is.
    pub subject: Subject,
    /// Whether it has the rights of a service.
    pub is_service: bool,
    /// What else it may do.
    #[serde(default)]
    pub scopes: Scopes,
    /// What its owner called the device.
    pub device: Option<String>,
    /// The generation of its subject under which it began.
    pub generation: i64,
}

/// A session that is in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whom it proves.
    pub session: Session,
    /// When it began, in Unix ms.
    pub created_at: i64,
    /// When it was last used, to about a minute, in Unix ms.
    pub seen_at: i64,
    /// When it ends at the latest, in Unix ms.
    pub expires_at: i64,
    /// The epoch under which, and when, PostgreSQL knew of no end of it.
    proof: Option<(String, i64)>,
    /// The time of Redis, in Unix ms.
    now: i64,
}

impl Found {
    /// Reads what the script gives; a form that is not ours is no session.
    pub(super) fn read(reply: &[Vec<u8>]) -> Option<Self> {
        let [record, created_at, seen_at, expires_at, proof, now] = reply else {
            return None;
        };
        let number = |bytes: &[u8]| str::from_utf8(bytes).ok()?.parse().ok();
        let proof = str::from_utf8(proof).ok().and_then(|proof| {
            let (epoch, at) = proof.split_once(' ')?;
            Some((epoch.to_owned(), at.parse().ok()?))
        });
        Some(Self {
            session: serde_json::from_slice(record).ok()?,
            created_at: number(created_at)?,
            seen_at: number(seen_at)?,
            expires_at: number(expires_at)?,
            proof,
            now: number(now)?,
        })
    }

    /// How long ago PostgreSQL knew of no end of it, in ms, if that was under this epoch.
    pub(super) fn proved_ago(&self, epoch: &str) -> Option<i64> {
        let (under, at) = self.proof.as_ref()?;
        (under == epoch).then_some(self.now - at)
    }
}

/// A Unix time in milliseconds as clients see it.
pub(super) fn rfc3339(at: i64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "times are below 2^53")]
    clock::rfc3339_of_unix_ms(at as f64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_does_not_see_the_secret() {
        let secret = "0123456789abcdef".repeat(4);
        let key = SessionKey::of_secret(&secret).unwrap();
        assert_eq!(key.as_str().len(), 64);
        assert_ne!(key.as_str(), secret);
        // The hash itself, which a reader of Redis knows, is the secret of another key.
        assert_ne!(SessionKey::of_secret(key.as_str()), Some(key));
    }

    #[test]
    fn what_could_be_no_secret_is_not_looked_up() {
        for text in ["", "x", &"a".repeat(63), &"A".repeat(64), &"ü".repeat(32)] {
            assert_eq!(SessionKey::of_secret(text), None, "{text}");
        }
    }

    fn reply() -> Vec<Vec<u8>> {
        let record =
            br#"{"id":7,"subject":{"user":9},"is_service":false,"device":null,"generation":2}"#;
        let fields: [&[u8]; 6] = [record, b"1000", b"2000", b"9000", b"abc 2500", b"3000"];
        fields.map(<[u8]>::to_vec).to_vec()
    }

    #[test]
    fn a_proof_counts_under_its_epoch() {
        let found = Found::read(&reply()).unwrap();
        assert_eq!(found.session.subject.to_string(), "user:9");
        assert_eq!(found.proved_ago("abc"), Some(500));
        assert_eq!(found.proved_ago("abd"), None);
    }

    #[test]
    fn another_form_is_no_session() {
        assert_eq!(Found::read(&[]), None);
        for field in 0..6 {
            let mut reply = reply();
            reply[field] = b"x".to_vec();
            // Without a proof it is a session that has to be looked up.
            assert_eq!(Found::read(&reply).is_some(), field == 4, "{field}");
        }
    }
}
