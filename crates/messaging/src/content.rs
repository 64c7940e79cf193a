//! Texts that clients send. Each parser is the only way to its type.

mod characters;

use serde::Serialize;

use characters::{breaks_a_line, is_bidi_control, is_visible};

/// The longest title, in characters.
pub const MAX_TITLE_CHARS: usize = 200;
/// The longest name of a device, in characters.
const MAX_DEVICE_CHARS: usize = 100;
/// The longest client message id, in characters.
pub const MAX_CLIENT_MESSAGE_ID_CHARS: usize = 128;

/// Why a text is refused; its `Display` is the message for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing that can be seen.
    #[error("must not be blank: it needs a visible character")]
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
    /// A character that makes the text read as another one.
    #[error("must not contain characters that change the direction of text")]
    Direction,
}

/// The text of a message: within the limit, with something to see, without control characters but
/// tab and line ends.
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
        if !text.chars().any(is_visible) {
            return Err(InvalidText::Blank);
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// The title of a conversation: one line with something to see, and nothing that turns it around.
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

/// What a user calls the device of a session: one line with something to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device(String);

impl Device {
    /// Parses the name of a device.
    pub fn parse(text: String) -> Result<Self, InvalidText> {
        one_line(text, MAX_DEVICE_CHARS).map(Self)
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

/// The name that a client gives one of a user's devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceId(String);

impl DeviceId {
    /// Parses a name of 1 to 64 visible characters.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        if text.chars().all(is_visible) && (1..=64).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err("must be 1 to 64 visible characters")
        }
    }

    /// The device of all heartbeats that name none. No name equals it.
    #[must_use]
    pub const fn unnamed() -> Self {
        Self(String::new())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn one_line(text: String, max_chars: usize) -> Result<String, InvalidText> {
    if text.chars().count() > max_chars {
        return Err(InvalidText::TooLong {
            max: max_chars,
            unit: "characters",
        });
    }
    if text.chars().any(breaks_a_line) {
        return Err(InvalidText::Control);
    }
    if text.chars().any(is_bidi_control) {
        return Err(InvalidText::Direction);
    }
    if !text.chars().any(is_visible) {
        return Err(InvalidText::Blank);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Characters of which nothing is seen, of every kind.
    const INVISIBLE: &str = " \t\n\u{a0}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180e}\
        \u{2003}\u{200b}\u{200d}\u{200f}\u{2028}\u{202e}\u{2060}\u{2065}\u{2066}\u{206f}\u{2800}\u{3000}\
        \u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{ffff}\u{1d159}\u{1d173}\u{e0001}\u{e0041}\u{e0100}";

    proptest! {
        #[test]
        fn content_is_kept_as_it_came(text in "[\\PC\t\n]{0,200}") {
            match Content::parse(text.clone(), 400) {
                Ok(content) => prop_assert_eq!(content.into_string(), text),
                Err(InvalidText::Blank) => prop_assert!(!text.chars().any(|c| c.is_ascii_graphic())),
                Err(InvalidText::TooLong { .. }) => prop_assert!(text.len() > 400),
                Err(InvalidText::Control) => prop_assert!(text.chars().any(char::is_control)),
                Err(InvalidText::Direction) => prop_assert!(false),
            }
        }

        #[test]
        fn what_cannot_be_seen_is_blank_until_something_can(
            picks in proptest::collection::vec(any::<proptest::sample::Index>(), 1..20),
            visible in "[a-z0-9!?äßжあ漢😀👩\u{301}]",
        ) {
            let all: Vec<char> = INVISIBLE.chars().collect();
            let text: String = picks.iter().map(|pick| *pick.get(&all)).collect();
            prop_assert_eq!(Content::parse(text.clone(), 1000), Err(InvalidText::Blank));
            let shown = Content::parse(text.clone() + &visible + &text, 2000);
            prop_assert!(shown.is_ok());
        }

        #[test]
        fn a_title_is_one_line_that_reads_as_it_is_written(text in any::<String>()) {
            if let Ok(title) = Title::parse(text.clone()) {
                let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                let harmful = title.0.contains(|c: char| c.is_control() || turns(c));
                prop_assert!(!harmful);
                prop_assert_eq!(title.into_string(), text);
            }
        }

        #[test]
        fn any_text_is_an_idempotency_key_or_refused(text in any::<String>()) {
            let good = (1..=128).contains(&text.len()) && text.chars().all(|c| ('!'..='~').contains(&c));
            prop_assert_eq!(IdempotencyKey::parse(&text).is_ok(), good);
        }

        #[test]
        fn visible_characters_are_an_idempotency_key(text in "[!-~]{1,128}") {
            prop_assert_eq!(IdempotencyKey::parse(&text).unwrap().into_string(), text);
        }
    }

    #[test]
    fn a_device_has_a_name_of_visible_characters() {
        for text in ["a", "tab-1", "é", &"ж".repeat(64)] {
            assert_eq!(DeviceId::parse(text.into()).unwrap().as_str(), text);
        }
        for text in ["", " ", "a b", "a\n", "a\0", "\u{200b}", &"x".repeat(65)] {
            assert!(DeviceId::parse(text.into()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn nul_blank_and_over_long_content_are_refused() {
        assert_eq!(Content::parse("a\0b".into(), 10), Err(InvalidText::Control));
        assert_eq!(Content::parse(" \n\t".into(), 10), Err(InvalidText::Blank));
        assert_eq!(Content::parse(String::new(), 10), Err(InvalidText::Blank));
        assert!(matches!(
            Content::parse("é".repeat(6), 10),
            Err(InvalidText::TooLong { max: 10, .. })
        ));
    }

    #[test]
    fn a_title_and_a_client_message_id_are_refused_what_turns_text_around() {
        for character in ["\u{202e}", "\u{202a}", "\u{2066}", "\u{2069}"] {
            let text = format!("report{character}fdp.exe");
            assert_eq!(Title::parse(text.clone()), Err(InvalidText::Direction));
            assert_eq!(ClientMessageId::parse(text), Err(InvalidText::Direction));
        }
        for line in ["a\nb", "a\0", "a\u{2028}b", "a\u{85}"] {
            assert_eq!(Title::parse(line.into()), Err(InvalidText::Control));
        }
        assert_eq!(Title::parse("\u{200b}".into()), Err(InvalidText::Blank));
        assert!(Title::parse("שלום \u{200e}v2".into()).is_ok());
    }
}
