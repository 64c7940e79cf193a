//! The forms in which words reach PostgreSQL: a content's `tsvector` and a query's `tsquery`, as text.
//!
//! The words travel with the statement of the change, cut here and not by a configuration of the
//! database: contents and queries always agree, and any text could stand for a word.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::query::{Query, Term};
use super::words::words;

/// The greatest position that a `tsvector` can hold.
const MAX_POSITION: usize = 16_383;
/// How many positions of one lexeme a `tsvector` holds.
const MAX_POSITIONS: usize = 255;
/// How many bytes of different words of a content are indexed; a `tsvector` holds 1 MiB.
const MAX_BYTES: usize = 512 * 1024;
/// The lexeme of contents whose positions are not all in the index: phrases are then looked for in the
/// text alone. No word is like it.
const INCOMPLETE: &str = "…";

/// The lexemes of a content with their positions, in the form of a `tsvector`.
#[must_use]
pub fn tsvector(content: &str) -> String {
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
    written(&lexemes)
}

fn written(lexemes: &BTreeMap<String, Vec<usize>>) -> String {
    let mut text = String::new();
    for (lexeme, positions) in lexemes {
        if !text.is_empty() {
            text.push(' ');
        }
        push_quoted(&mut text, lexeme);
        for (n, position) in positions.iter().enumerate() {
            // Writing to a String does not fail.
            let _ = write!(text, "{}{position}", if n == 0 { ':' } else { ',' });
        }
    }
    text
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
    pub fn tsquery(&self) -> String {
        let terms: Vec<String> = self.terms.iter().map(Term::tsquery).collect();
        terms.join(" & ")
    }

    /// What every match has, in the form of a `tsquery`: the words that are searched for, in any order.
    #[must_use]
    pub fn has_all(&self) -> String {
        let positive = self.terms.iter().filter(|term| !term.is_negative);
        let terms: Vec<String> = positive.map(Term::has_all).collect();
        terms.join(" & ")
    }
}

impl Term {
    fn has_all(&self) -> String {
        let words: Vec<String> = self.words.iter().map(|word| quoted(word)).collect();
        words.join(" & ") + self.star()
    }

    const fn star(&self) -> &'static str {
        if self.is_prefix { ":*" } else { "" }
    }

    fn tsquery(&self) -> String {
        let words: Vec<String> = self.words.iter().map(|word| quoted(word)).collect();
        let phrase = words.join(" <-> ") + self.star();
        match (self.is_negative, words.len()) {
            (true, _) => format!("!({phrase})"),
            (false, 1) => phrase,
            (false, _) => format!("{} & (({phrase}) | '{INCOMPLETE}')", self.has_all()),
        }
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
        let tsquery = |text: &str| text.parse::<Query>().expect("a query").tsquery();
        assert_eq!(tsquery("Frist kla* -März"), "'frist' & 'kla':* & !('marz')");
        assert_eq!(
            tsquery("\"die Frist\" -\"a b\""),
            "'die' & 'frist' & (('die' <-> 'frist') | '…') & !('a' <-> 'b')"
        );
        let has_all = |text: &str| text.parse::<Query>().expect("a query").has_all();
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
