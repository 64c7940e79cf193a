//! Texts that clients send. Each parser is the only way to its type.

use serde::Serialize;

/// The longest title, in characters.
pub const MAX_TITLE_CHARS: usize = 200;
/// The longest client message id, in characters.
pub const MAX_CLIENT_MESSAGE_ID_CHARS: usize = 128;

/// Why a text is refused; its `Display` is the message for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing but white space.
    #[error("must not be blank")]
    Blank,
    /// Longer than the limit.
    #[error("must be at most {max} {unit}")]
    TooLong {
        /// The limit.
        max: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// A character that a store or a terminal would not take.
    #[error("must not contain control characters")]
    Control,
}

/// The text of a message: not blank, within the limit, no control characters
/// but tab and line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    /// Parses a message's text; `max_bytes` is the operator's `max_content_bytes`.
    pub fn parse(text: String, max_bytes: usize) -> Result<Self, InvalidText> {
        if text.len() > max_bytes {
            return Err(InvalidText::TooLong {
                max: max_bytes,
                unit: "bytes",
            });
        }
        if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        {
            return Err(InvalidText::Control);
        }
        if text.trim().is_empty() {
            return Err(InvalidText::Blank);
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// The title of a conversation: one line, not blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Title(String);

impl Title {
    /// Parses a title.
    pub fn parse(text: String) -> Result<Self, InvalidText> {
        one_line(text, MAX_TITLE_CHARS).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// The idempotency key of a post, chosen by the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMessageId(String);

impl ClientMessageId {
    /// Parses an idempotency key.
    pub fn parse(text: String) -> Result<Self, InvalidText> {
        one_line(text, MAX_CLIENT_MESSAGE_ID_CHARS).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// The key of the header `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses a key of 1 to 128 visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (1..=128).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be 1 to 128 visible characters")
        }
    }

    /// A key that no other request has, for a request that brings none: the request's own
    /// repetition after a lost acknowledgement finds itself.
    #[must_use]
    pub fn generate() -> Self {
        Self(platform::random::secret())
    }

    /// The text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

fn one_line(text: String, max_chars: usize) -> Result<String, InvalidText> {
    if text.chars().count() > max_chars {
        return Err(InvalidText::TooLong {
            max: max_chars,
            unit: "characters",
        });
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidText::Control);
    }
    if text.trim().is_empty() {
        return Err(InvalidText::Blank);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn content_is_kept_as_it_came(text in "[\\PC\t\n]{0,200}") {
            match Content::parse(text.clone(), 400) {
                Ok(content) => prop_assert_eq!(content.into_string(), text),
                Err(InvalidText::Blank) => prop_assert!(text.trim().is_empty()),
                Err(InvalidText::TooLong { .. }) => prop_assert!(text.len() > 400),
                Err(InvalidText::Control) => prop_assert!(text.chars().any(char::is_control)),
            }
        }
    }

    #[test]
    fn nul_blank_and_over_long_content_are_refused() {
        assert_eq!(Content::parse("a\0b".into(), 10), Err(InvalidText::Control));
        assert_eq!(Content::parse(" \n\t".into(), 10), Err(InvalidText::Blank));
        assert!(matches!(
            Content::parse("é".repeat(6), 10),
            Err(InvalidText::TooLong { max: 10, .. })
        ));
    }
}
