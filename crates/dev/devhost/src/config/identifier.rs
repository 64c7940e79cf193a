//! The identifiers of a manifest, by Spin's rules: words joined by one
//! separator, each of letters and digits, the first of them a letter.

use std::{borrow::Borrow, fmt};

use serde::Deserialize;

/// The id of a component: words joined by `-`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct ComponentId(String);

/// The name of a variable: lower-case words joined by `_`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct VariableName(String);

impl TryFrom<String> for ComponentId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let one_case = |word: &str| is_word(word, is_lower) || is_word(word, is_upper);
        if text.split('-').all(one_case) {
            return Ok(Self(text));
        }
        Err(format!(
            "`{text}` is not the id of a component: use words of letters and digits, joined by -, \
             each in one case"
        ))
    }
}

impl TryFrom<String> for VariableName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.split('_').all(|word| is_word(word, is_lower)) {
            return Ok(Self(text));
        }
        Err(format!(
            "`{text}` is not the name of a variable: use lower-case words of letters and digits, \
             joined by _"
        ))
    }
}

fn is_word(word: &str, is_letter: fn(u8) -> bool) -> bool {
    let is_inner = |byte: u8| is_letter(byte) || byte.is_ascii_digit();
    word.bytes().next().is_some_and(is_letter) && word.bytes().all(is_inner)
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase()
}

fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase()
}

impl ComponentId {
    /// The id of a component without one.
    pub fn inline(number: u32) -> Self {
        Self(format!("inline-component{number}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VariableName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ComponentId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for VariableName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_component_id_are_joined_by_hyphens() {
        for id in ["web", "system-messages", "a1-B2", "WEB"] {
            assert!(ComponentId::try_from(id.to_owned()).is_ok(), "{id}");
        }
        for id in ["", "a_b", "a--b", "-a", "1a", "a-1", "aB", "a.b", "é"] {
            assert!(ComponentId::try_from(id.to_owned()).is_err(), "{id}");
        }
    }

    #[test]
    fn the_words_of_a_variable_name_are_lower_case_and_joined_by_underscores() {
        for name in ["a", "redis_url", "a1_b2"] {
            assert!(VariableName::try_from(name.to_owned()).is_ok(), "{name}");
        }
        for name in ["", "a-b", "a__b", "_a", "a_", "1a", "a_1", "A", "A_B"] {
            assert!(VariableName::try_from(name.to_owned()).is_err(), "{name}");
        }
    }
}
