//! The forms in which words reach PostgreSQL: a content's `tsvector` and a query's `tsquery`, as text.
//!
//! The words travel with the statement of the change, cut here and not by a configuration of the
//! database: contents and queries always agree, and any text could stand for a word. Where contents are
//! sealed, a code of it does (`sealing`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::query::{Query, Term};
use super::words::words;
use crate::sealing::{Keys, LexemeForm};

/// The greatest position that a `tsvector` can hold.
const MAX_POSITION: usize = 16_383;
/// How many positions of one lexeme a `tsvector` holds.
const MAX_POSITIONS: usize = 255;
/// How many bytes of different words of a content are indexed; a `tsvector` holds 1 MiB.
const MAX_BYTES: usize = 512 * 1024;
/// The lexeme of contents whose positions are not all in the index: phrases are then looked for in the
/// text alone. No word is like it.
const INCOMPLETE: &str = "…";

/// The lexemes of a content with their positions, in the form of a `tsvector`; by the key that seals, if
/// contents are sealed.
#[must_use]
pub fn tsvector(content: &str, keys: &Keys) -> String {
    let mut lexemes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut bytes = 0;
    let mut is_complete = true;
    for (n, word) in words(content).enumerate() {
        let length = word.folded.len();
        let positions = lexemes.entry(word.folded).or_insert_with(|| {
            bytes += length;
            Vec::new()
        });
        if n < MAX_POSITION && positions.len() < MAX_POSITIONS {
            positions.push(n + 1);
        } else {
            is_complete = false;
        }
        if bytes > MAX_BYTES {
            is_complete = false;
            break;
        }
    }
    if !is_complete {
        lexemes.insert(INCOMPLETE.into(), Vec::new());
    }
    written(&lexemes, keys.lexeme_form())
}

fn written(lexemes: &BTreeMap<String, Vec<usize>>, form: LexemeForm<'_>) -> String {
    let mut text = String::new();
    for (lexeme, positions) in lexemes {
        if !text.is_empty() {
            text.push(' ');
        }
        push_quoted(&mut text, &in_form(lexeme, form));
        for (n, position) in positions.iter().enumerate() {
            // Writing to a String does not fail.
            let _ = write!(text, "{}{position}", if n == 0 { ':' } else { ',' });
        }
    }
    text
}

/// That a content is long is in the index as it is.
fn in_form<'a>(lexeme: &'a str, form: LexemeForm<'_>) -> Cow<'a, str> {
    if lexeme == INCOMPLETE {
        lexeme.into()
    } else {
        form.of(lexeme)
    }
}

/// A lexeme as literals have it: in quotes, with quotes and backslashes doubled.
fn push_quoted(text: &mut String, lexeme: &str) {
    text.push('\'');
    for character in lexeme.chars() {
        if matches!(character, '\'' | '\\') {
            text.push(character);
        }
        text.push(character);
    }
    text.push('\'');
}

impl Query {
    /// The query in the form of a `tsquery`. It finds what matches, and of contents with
    /// [`INCOMPLETE`] positions possibly more.
    #[must_use]
    pub fn tsquery(&self, keys: &Keys) -> String {
        self.by_each(keys, |term, form| Some(term.tsquery(form)))
    }

    /// What every match has, in the form of a `tsquery`: the words that are searched for, in any order.
    #[must_use]
    pub fn has_all(&self, keys: &Keys) -> String {
        self.by_each(keys, |term, form| {
            (!term.is_negative).then(|| term.has_all(form))
        })
    }

    /// All terms, in one of the forms in which the index has the words of a content.
    fn by_each(
        &self,
        keys: &Keys,
        write: impl Fn(&Term, LexemeForm<'_>) -> Option<String>,
    ) -> String {
        let queries = keys.lexeme_forms().map(|form| {
            let terms: Vec<String> = self.terms.iter().filter_map(|t| write(t, form)).collect();
            terms.join(" & ")
        });
        let queries: Vec<String> = queries.collect();
        match queries.as_slice() {
            [one] => one.clone(),
            several => format!("({})", several.join(") | (")),
        }
    }
}

impl Term {
    fn has_all(&self, form: LexemeForm<'_>) -> String {
        self.quoted(form).join(" & ") + self.star()
    }

    const fn star(&self) -> &'static str {
        if self.is_prefix { ":*" } else { "" }
    }

    fn tsquery(&self, form: LexemeForm<'_>) -> String {
        let words = self.quoted(form);
        let phrase = words.join(" <-> ") + self.star();
        match (self.is_negative, words.len()) {
            (true, _) => format!("!({phrase})"),
            (false, 1) => phrase,
            (false, _) => {
                let has_all = self.has_all(form);
                format!("{has_all} & (({phrase}) | '{INCOMPLETE}')")
            }
        }
    }

    fn quoted(&self, form: LexemeForm<'_>) -> Vec<String> {
        self.words
            .iter()
            .map(|word| quoted(&form.of(word)))
            .collect()
    }
}

fn quoted(lexeme: &str) -> String {
    let mut text = String::new();
    push_quoted(&mut text, lexeme);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tsvector(content: &str) -> String {
        super::tsvector(content, &Keys::default())
    }

    #[test]
    fn a_content_is_its_words_and_their_positions() {
        assert_eq!(
            tsvector("Die Frist, die läuft."),
            "'die':1,3 'frist':2 'lauft':4"
        );
        assert_eq!(tsvector("don’t"), "'don''t':1");
        assert_eq!(tsvector("!!!"), "");
    }

    #[test]
    fn a_query_is_its_terms() {
        let tsquery = |text: &str| {
            text.parse::<Query>()
                .expect("a query")
                .tsquery(&Keys::default())
        };
        assert_eq!(tsquery("Frist kla* -März"), "'frist' & 'kla':* & !('marz')");
        assert_eq!(
            tsquery("\"die Frist\" -\"a b\""),
            "'die' & 'frist' & (('die' <-> 'frist') | '…') & !('a' <-> 'b')"
        );
        let has_all = |text: &str| {
            text.parse::<Query>()
                .expect("a query")
                .has_all(&Keys::default())
        };
        assert_eq!(
            has_all("\"die Frist\" kla* -März"),
            "'die' & 'frist' & 'kla':*"
        );
    }

    #[test]
    fn a_content_with_more_positions_than_fit_is_marked() {
        assert!(!tsvector(&"a ".repeat(255)).contains(INCOMPLETE));
        assert!(tsvector(&"a ".repeat(256)).contains(INCOMPLETE));
        let many: String = (0..17_000).map(|n| format!("w{n} ")).collect();
        let many = tsvector(&many);
        assert!(many.contains(INCOMPLETE) && many.contains("'w16999'"));
        assert!(tsvector(&"ab cd ".repeat(400_000)).len() < 4096);
    }
}
