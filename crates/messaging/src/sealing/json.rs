//! Opening the texts of JSON, as PostgreSQL builds it: by a look for the mark, without parsing. JSON
//! without one is passed on as it is.
//!
//! What a text belongs to is in front of it: the head of a message or of a conversation, whose first
//! members do not change.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::binding::Binding;
use super::keys::Keys;
use super::unreadable::Unreadable;
use crate::ids::{ConversationId, UserId};

/// The mark as a text of JSON begins with it. Nothing inside of a text looks like it: a quotation mark has a
/// backslash before it there.
const QUOTED_MARK: &[u8] = br#""\u0001sealed1:"#;
static MARKS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(QUOTED_MARK));
/// What is in front of a content or title at the most, from the brace on.
const MAX_HEAD: usize = 192;
/// The members in the place of a text that does not open, behind the text's own name.
const UNREADABLE: &[u8] = br#"null,"unreadable":true"#;

impl Keys {
    /// JSON of messages and conversations as clients get it.
    #[must_use]
    pub fn open(&self, json: String) -> String {
        if MARKS.find(json.as_bytes()).is_none() {
            return json;
        }
        match String::from_utf8(self.open_bytes(json.into_bytes())) {
            Ok(opened) => opened,
            // What is put in is UTF-8, and what it is put into was.
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }

    /// As [`Self::open`], of bytes.
    #[must_use]
    pub fn open_bytes(&self, json: Vec<u8>) -> Vec<u8> {
        self.open_all(json, None)
    }

    /// As [`Self::open`], of JSON whose texts all belong to one place, which it does not name.
    #[must_use]
    pub fn open_in(&self, json: String, place: Binding) -> String {
        let opened = self.open_all(json.into_bytes(), Some(place));
        String::from_utf8_lossy(&opened).into_owned()
    }

    fn open_all(&self, json: Vec<u8>, place: Option<Binding>) -> Vec<u8> {
        let mut found = MARKS.find_iter(&json).peekable();
        if found.peek().is_none() {
            return json;
        }
        let mut opened = Vec::with_capacity(json.len());
        let (mut copied, mut buffer) = (0, Vec::new());
        for at in found {
            let sealed = at + QUOTED_MARK.len();
            let Some(length) = length_of_text(&json[sealed..]) else {
                break;
            };
            opened.extend_from_slice(&json[copied..at]);
            let binding = place.or_else(|| binding(&json[..at]));
            self.push(
                &mut opened,
                &json[sealed..sealed + length],
                binding,
                &mut buffer,
            );
            copied = sealed + length + 1;
        }
        opened.extend_from_slice(&json[copied..]);
        opened
    }

    /// Adds the text of what is sealed, or that it does not open.
    fn push(
        &self,
        json: &mut Vec<u8>,
        sealed: &[u8],
        place: Option<Binding>,
        buffer: &mut Vec<u8>,
    ) {
        let Some(place) = place else {
            return push_unreadable(json, &Unreadable::no_key("?"));
        };
        let mut recent = self.recent.borrow_mut();
        if let Some(text) = recent.get(sealed, place) {
            return json.extend_from_slice(text);
        }
        let start = json.len();
        match self.open_sealed(sealed, place, buffer) {
            Ok(text) => {
                // Writing a text to memory does not fail.
                let _ = serde_json::to_writer(&mut *json, text);
                recent.insert(sealed.into(), place, json[start..].into());
            }
            Err(reason) => push_unreadable(json, &reason),
        }
    }
}

fn push_unreadable(json: &mut Vec<u8>, reason: &Unreadable) {
    reason.log_once();
    json.extend_from_slice(UNREADABLE);
}

/// Up to the quotation mark that ends the text. What is sealed has no escapes; what was changed may.
fn length_of_text(json: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', json.get(at..)?)?;
        if json[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// What the text behind this JSON belongs to.
fn binding(before: &[u8]) -> Option<Binding> {
    let near = &before[before.len().saturating_sub(MAX_HEAD)..];
    let head = memmem::rfind(near, br#"{"id":"#)?;
    let mut head = Head(&near[head..]);
    let id = head.number(br#"{"id":"#)?;
    if head.0 == br#","title":"# {
        return ConversationId::try_from(id).ok().map(Binding::Title);
    }
    let conversation = head.number(br#","conversationId":"#)?;
    head.number(br#","ordinal":"#)?;
    let sender = head.number(br#","senderId":"#);
    if sender.is_none() {
        head.take(br#","senderId":null"#)?;
    }
    let sender = sender.map(UserId::try_from).transpose().ok()?;
    let is_content = head.0.ends_with(br#","content":"#) && head.0.starts_with(br#","kind":"#);
    let conversation = ConversationId::try_from(conversation).ok()?;
    is_content.then_some(Binding::Content(conversation, sender))
}

/// The members of a head that are not read yet.
struct Head<'a>(&'a [u8]);

impl Head<'_> {
    fn take(&mut self, text: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// A number behind a text; nothing is taken if there is none.
    fn number(&mut self, name: &[u8]) -> Option<i64> {
        let digits = self.0.strip_prefix(name)?;
        let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
        let number = str::from_utf8(&digits[..end]).ok()?.parse().ok()?;
        self.0 = &digits[end..];
        Some(number)
    }
}
