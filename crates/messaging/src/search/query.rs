//! The query language: words are AND, `"a phrase"`, `-word`, `word*`.

use super::words::words;

/// How many bytes a query may have.
const MAX_BYTES: usize = 1024;
/// How many words a query may have.
const MAX_WORDS: usize = 32;

/// Why a text is no query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuery {
    /// Nothing to search for.
    #[error("needs a word that is searched for")]
    NoWord,
    /// Too long.
    #[error("is longer than {MAX_BYTES} bytes or {MAX_WORDS} words")]
    TooLong,
}

/// What is searched for: all of its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// At least one of them is positive.
    pub(super) terms: Vec<Term>,
}

/// Words that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// At least one, folded.
    pub words: Vec<String>,
    /// Whether a word that begins with the last one is as good.
    pub is_prefix: bool,
    /// Whether a text with it is not found.
    pub is_negative: bool,
}

impl std::str::FromStr for Query {
    type Err = InvalidQuery;

    fn from_str(text: &str) -> Result<Self, InvalidQuery> {
        if text.len() > MAX_BYTES {
            return Err(InvalidQuery::TooLong);
        }
        let terms = parse_terms(text);
        if terms.iter().all(|term| term.is_negative) {
            return Err(InvalidQuery::NoWord);
        }
        if terms.iter().map(|term| term.words.len()).sum::<usize>() > MAX_WORDS {
            return Err(InvalidQuery::TooLong);
        }
        Ok(Self { terms })
    }
}

impl Query {
    /// Whether it asks for the beginning of a word.
    #[must_use]
    pub fn has_prefix(&self) -> bool {
        self.terms.iter().any(|term| term.is_prefix)
    }
}

fn parse_terms(text: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let is_negative = rest.starts_with('-');
        rest = rest.strip_prefix('-').unwrap_or(rest);
        let (term, behind) = match rest.strip_prefix(is_quote) {
            Some(phrase) => cut_phrase(phrase),
            None => cut_word(rest),
        };
        terms.extend(term.map(|term| Term {
            is_negative,
            ..term
        }));
        rest = behind.trim_start();
    }
    terms
}

/// What keyboards and word processors make of a quotation mark too.
const fn is_quote(character: char) -> bool {
    matches!(character, '"' | '“' | '”' | '„' | '«' | '»')
}

/// A phrase up to its quotation mark, or to the end.
fn cut_phrase(text: &str) -> (Option<Term>, &str) {
    let (phrase, behind) = text.split_once(is_quote).unwrap_or((text, ""));
    (Term::of(phrase, false), behind)
}

/// What is written without a space between.
fn cut_word(text: &str) -> (Option<Term>, &str) {
    let end = text.find(|c: char| c.is_whitespace() || is_quote(c));
    let (word, behind) = text.split_at(end.unwrap_or(text.len()));
    (
        Term::of(word.trim_end_matches('*'), word.ends_with('*')),
        behind,
    )
}

impl Term {
    /// The words of a text; none if it has none. A prefix ends with its last word.
    fn of(text: &str, is_prefix: bool) -> Option<Self> {
        let found: Vec<_> = words(text).collect();
        let is_prefix = is_prefix && found.last()?.range.end == text.len();
        let words: Vec<String> = found.into_iter().map(|word| word.folded).collect();
        (!words.is_empty()).then_some(Self {
            words,
            is_prefix,
            is_negative: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A query as text: negative terms with `-`, prefixes with `*`, phrases with `_` between.
    fn parsed(text: &str) -> Result<String, InvalidQuery> {
        let query: Query = text.parse()?;
        let terms = query.terms.iter().map(|term| {
            let minus = if term.is_negative { "-" } else { "" };
            let star = if term.is_prefix { "*" } else { "" };
            format!("{minus}{}{star}", term.words.join("_"))
        });
        Ok(terms.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_query_is_words_phrases_exclusions_and_prefixes() {
        for (text, expected) in [
            ("Frist  Klage", "frist klage"),
            ("\"die Frist\" -Klage", "die_frist -klage"),
            ("Kla* -Ber*", "kla* -ber*"),
            ("-\"die Frist\" x", "-die_frist x"),
            ("\"bis zum Ende", "bis_zum_ende"),
            ("a\"b c\"d", "a b_c d"),
            ("„die Frist“ «la nuit»", "die_frist la_nuit"),
            ("e-mail 東京", "e_mail 東_京"),
            ("a - b !!! * \"\"", "a b"),
            ("a!* \"b*\"", "a b"),
            ("foo-ba*", "foo_ba*"),
            ("--a b", "-a b"),
            ("👍", "👍"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_query_without_a_positive_word_is_refused() {
        for text in [
            "",
            " ",
            "-a",
            "!!!",
            "\"\"",
            "\"",
            "*",
            "- -a -\"b c\"",
            "…",
        ] {
            assert_eq!(parsed(text), Err(InvalidQuery::NoWord), "{text}");
        }
    }

    #[test]
    fn a_long_query_is_refused() {
        assert!(parsed(&"a ".repeat(32)).is_ok());
        assert_eq!(parsed(&"a ".repeat(33)), Err(InvalidQuery::TooLong));
        assert_eq!(parsed(&"a".repeat(1025)), Err(InvalidQuery::TooLong));
    }

    proptest! {
        #[test]
        fn any_text_is_a_query_or_refused(text in any::<String>()) {
            if let Ok(query) = text.parse::<Query>() {
                prop_assert!(query.terms.iter().any(|term| !term.is_negative));
                prop_assert!(query.terms.iter().all(|term| !term.words.is_empty()));
            }
        }

        #[test]
        fn any_mix_of_marks_and_words_is_read(text in "[-*\"ab ß👍東]{0,30}") {
            let _ = parsed(&text);
        }

        #[test]
        fn words_of_letters_are_its_terms(words in proptest::collection::vec("[a-z]{1,9}", 1..9)) {
            prop_assert_eq!(parsed(&words.join(" ")), Ok(words.join(" ")));
            prop_assert_eq!(parsed(&format!("\"{}", words.join(" "))), Ok(words.join("_")));
        }
    }
}
