//! The form of a sealed text: a mark, the name of the key, and what it sealed in base64.
//!
//! The mark begins with a control character. Contents and titles are refused those, so no text of a user
//! is taken for a sealed one, in either mode, and no text needs an escape; a text that begins with the rest
//! of the mark is a text like any other. All the rest is printable, and in JSON the whole is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::binding::Binding;
use super::key::Key;
use super::keys::Keys;
use super::unreadable::Unreadable;

/// What a sealed text begins with.
pub const MARK: &str = "\u{1}sealed1:";

/// A text as it is for readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It was not sealed.
    Plain,
    /// What was sealed.
    Text(String),
    /// It was sealed, and does not open.
    Unreadable(Unreadable),
}

impl Keys {
    /// A text as the database gets it.
    #[must_use]
    pub fn seal(&self, text: String, binding: Binding) -> String {
        match self.first() {
            Some(key) => written(key, &key.seal(text.as_bytes(), binding)),
            None => text,
        }
    }

    /// A text that may be the present one of its place, as the database gets it. The same as it is stored
    /// where it is, and else the same each time for the same number: so the database knows what changes
    /// nothing, also where two make a change at the same time.
    #[must_use]
    pub fn seal_again(
        &self,
        present: Option<String>,
        number: i64,
        text: &str,
        binding: Binding,
    ) -> String {
        let is_same = |present: &String| match self.open_text(present, binding) {
            Opened::Plain => present == text,
            Opened::Text(present) => present == text,
            Opened::Unreadable(_) => false,
        };
        present
            .filter(is_same)
            .unwrap_or_else(|| self.seal_for(number, text, binding))
    }

    fn seal_for(&self, number: i64, text: &str, binding: Binding) -> String {
        match self.first() {
            Some(key) => written(key, &key.seal_for(number, text.as_bytes(), binding)),
            None => text.to_owned(),
        }
    }

    /// A text that the database gave.
    #[must_use]
    pub fn open_text(&self, stored: &str, binding: Binding) -> Opened {
        let Some(sealed) = stored.strip_prefix(MARK) else {
            return Opened::Plain;
        };
        let mut buffer = Vec::new();
        match self.open_sealed(sealed.as_bytes(), binding, &mut buffer) {
            Ok(text) => Opened::Text(text.to_owned()),
            Err(reason) => Opened::Unreadable(reason),
        }
    }

    /// Whether a text is sealed by the key that seals.
    #[must_use]
    pub fn is_sealed_by_first(&self, stored: &str) -> bool {
        let id = stored
            .strip_prefix(MARK)
            .and_then(|rest| rest.split_once(':'));
        id.is_some_and(|(id, _)| self.first().is_some_and(|key| key.id == id))
    }

    /// What all texts begin with that are sealed by the key that seals.
    #[must_use]
    pub fn first_mark(&self) -> Option<String> {
        Some(format!("{MARK}{}:", self.first()?.id))
    }

    /// Opens what is behind the mark.
    pub(super) fn open_sealed<'a>(
        &self,
        sealed: &[u8],
        binding: Binding,
        buffer: &'a mut Vec<u8>,
    ) -> Result<&'a str, Unreadable> {
        let colon = memchr::memchr(b':', sealed);
        let (id, sealed) = colon.map_or((sealed, &[][..]), |at| (&sealed[..at], &sealed[at + 1..]));
        let id = String::from_utf8_lossy(id);
        let key = self.named(&id).ok_or_else(|| Unreadable::no_key(&id))?;
        let changed = || Unreadable::changed(&id, binding);
        buffer.clear();
        BASE64.decode_vec(sealed, buffer).map_err(|_| changed())?;
        let text = key.open(buffer, binding).ok_or_else(changed)?;
        str::from_utf8(text).map_err(|_| changed())
    }
}

fn written(key: &Key, sealed: &[u8]) -> String {
    let mut text = String::with_capacity(MARK.len() + key.id.len() + 1 + sealed.len() * 4 / 3 + 3);
    text.push_str(MARK);
    text.push_str(&key.id);
    text.push(':');
    BASE64.encode_string(sealed, &mut text);
    text
}
