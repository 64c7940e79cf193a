//! The digest of a request, by which its repetition is recognised.
//!
//! A hash of a content lets everyone who reads it try contents. So where contents are sealed, it is sealed
//! too, and the component compares. It can be sealed anew by another key when its text is long gone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

use super::binding::Binding;
use super::keys::Keys;
use super::text::{MARK, Opened};

/// The SHA-256 of what makes two requests the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of a content.
    #[must_use]
    pub fn of(content: &str) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// Of what was hashed.
    #[must_use]
    pub fn finish(hash: Sha256) -> Self {
        Self(hash.finalize().into())
    }

    /// The bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl Keys {
    /// A digest, sealed; `None` where contents are not sealed.
    #[must_use]
    pub fn seal_digest(&self, digest: Digest) -> Option<String> {
        let text = || self.seal(BASE64.encode(digest.0), Binding::Digest);
        self.is_on().then(text)
    }

    /// The digest in what the database has of it, if it opens.
    #[must_use]
    pub fn open_digest(&self, stored: &[u8]) -> Option<Digest> {
        if let Ok(plain) = stored.try_into() {
            return Some(Digest(plain));
        }
        let stored = str::from_utf8(stored).ok()?;
        match self.open_text(stored, Binding::Digest) {
            Opened::Text(text) => Some(Digest(BASE64.decode(text).ok()?.try_into().ok()?)),
            Opened::Plain | Opened::Unreadable(_) => None,
        }
    }

    /// Whether the database has this digest, in whatever form; `stored` is in hexadecimal.
    #[must_use]
    pub fn is_digest(&self, stored: &str, digest: Digest) -> bool {
        let stored = from_hexadecimal(stored);
        stored.is_some_and(|stored| self.open_digest(&stored) == Some(digest))
    }
}

/// A sealed digest is longer than a plain one.
const _: () = assert!(MARK.len() + 64 > 32);

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
