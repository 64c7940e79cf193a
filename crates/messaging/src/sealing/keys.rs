//! The operator's keys.

use std::borrow::Cow;
use std::cell::RefCell;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::key::{KEY_BYTES, Key};
use super::recent::Recent;

/// The most keys: each is another form in which a searched word may be in the index.
const MAX_KEYS: usize = 8;
/// The longest name of a key.
const MAX_ID: usize = 32;

/// Keys are taken with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why keys are refused. Nothing of their text is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// Another form.
    #[error(r#"is not a JSON list of {{"id", "key"}}"#)]
    Form,
    /// More than are taken.
    #[error("has more than {MAX_KEYS} keys")]
    TooMany,
    /// A name that would not fit into a sealed text.
    #[error(
        "has an id, number {0}, that is not 1 to {MAX_ID} letters, digits, dots, dashes or underscores"
    )]
    Id(usize),
    /// A name for two keys.
    #[error("has an id, number {0}, that another key has too")]
    Repeated(usize),
    /// Not a key.
    #[error("has a key, number {0}, that is not {KEY_BYTES} bytes in base64")]
    Key(usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
    key: String,
}

/// The operator's keys: the first seals, all open. Without any, contents are not sealed.
#[derive(Default)]
pub struct Keys {
    keys: Vec<Key>,
    /// What they have opened lately.
    pub(super) recent: RefCell<Recent>,
}

impl Keys {
    /// Reads the variable `content_keys`; nothing is no keys.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        // The parser's message could show a part of a key.
        let list: Option<Vec<Named>> = serde_json::from_str(text).ok();
        let list = list.ok_or(InvalidKeys::Form)?;
        if list.len() > MAX_KEYS {
            return Err(InvalidKeys::TooMany);
        }
        let mut keys: Vec<Key> = Vec::with_capacity(list.len());
        for (n, named) in (1..).zip(list) {
            if !is_id(&named.id) {
                return Err(InvalidKeys::Id(n));
            }
            if keys.iter().any(|key| key.id == named.id) {
                return Err(InvalidKeys::Repeated(n));
            }
            let secret = secret(&named.key).ok_or(InvalidKeys::Key(n))?;
            keys.push(Key::new(named.id, &secret));
        }
        Ok(Self {
            keys,
            recent: RefCell::default(),
        })
    }

    /// Whether contents are sealed.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The key that seals, if contents are sealed.
    pub(super) fn first(&self) -> Option<&Key> {
        self.keys.first()
    }

    /// The key of a name.
    pub(super) fn named(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// A key for another purpose, derived from the one that seals, if contents are sealed.
    pub(crate) fn for_purpose(&self, purpose: &str) -> Option<[u8; KEY_BYTES]> {
        Some(self.first()?.for_purpose(purpose))
    }

    /// The forms in which the index may have lexemes.
    pub(crate) fn lexeme_forms(&self) -> impl Iterator<Item = LexemeForm<'_>> {
        let plain = (!self.is_on()).then_some(LexemeForm(None));
        let keyed = self.keys.iter().map(|key| LexemeForm(Some(key)));
        plain.into_iter().chain(keyed)
    }

    /// The form in which the index gets lexemes.
    pub(crate) fn lexeme_form(&self) -> LexemeForm<'_> {
        LexemeForm(self.first())
    }
}

/// The form in which the index has lexemes: as they are, or in their place codes that nobody makes without
/// the key.
#[derive(Clone, Copy)]
pub(crate) struct LexemeForm<'a>(Option<&'a Key>);

/// How many bytes of a code the index has: two of a million words are the same once in ten billion.
const CODE_BYTES: usize = 9;

impl LexemeForm<'_> {
    /// A lexeme in this form.
    pub(crate) fn of<'b>(self, lexeme: &'b str) -> Cow<'b, str> {
        match self.0 {
            Some(key) => BASE64.encode(&key.code_of(lexeme)[..CODE_BYTES]).into(),
            None => lexeme.into(),
        }
    }
}

fn is_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(is_plain)
}

fn secret(text: &str) -> Option<[u8; KEY_BYTES]> {
    BASE64.decode(text).ok()?.try_into().ok()
}
