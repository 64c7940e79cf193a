//! Whether a content matches a query, and where: by the text itself. The index only proposes.

use std::ops::Range;

use serde::Serialize;

use super::query::{Query, Term};
use super::words::{Word, words};

/// How many highlights a result has at the most, the first ones of the content.
const MAX_HIGHLIGHTS: usize = 100;

/// A part of a content, in UTF-16 code units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Highlight {
    /// Where it begins.
    pub start: usize,
    /// How long it is.
    pub length: usize,
}

impl Query {
    /// The parts of a content that match, from its beginning and without overlaps; none if the content
    /// does not match.
    #[must_use]
    pub fn highlights(&self, content: &str) -> Option<Vec<Highlight>> {
        let words: Vec<Word> = words(content).collect();
        let mut ranges = Vec::new();
        for term in &self.terms {
            let found = term.find(&words);
            if found.is_empty() != term.is_negative {
                return None;
            }
            ranges.extend(found);
        }
        let mut ranges = merged(ranges);
        ranges.truncate(MAX_HIGHLIGHTS);
        Some(in_utf16(content, &ranges))
    }
}

impl Term {
    /// Where the term is among the words, in bytes of the text.
    fn find(&self, words: &[Word]) -> Vec<Range<usize>> {
        let found = words.windows(self.words.len());
        found
            .filter(|found| self.is_at(found))
            .filter_map(|found| Some(found.first()?.range.start..found.last()?.range.end))
            .collect()
    }

    fn is_at(&self, found: &[Word]) -> bool {
        let last = self.words.len() - 1;
        found
            .iter()
            .zip(&self.words)
            .enumerate()
            .all(|(n, (found, word))| {
                found.folded == *word
                    || n == last && self.is_prefix && found.folded.starts_with(word.as_str())
            })
    }
}

/// Ranges in their order, those that overlap as one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Ranges of bytes, in their order, as UTF-16 code units.
fn in_utf16(text: &str, ranges: &[Range<usize>]) -> Vec<Highlight> {
    let units = |range: Range<usize>| text[range].chars().map(char::len_utf16).sum::<usize>();
    let (mut at, mut end) = (0, 0);
    let mut highlights = Vec::with_capacity(ranges.len());
    for range in ranges {
        let start = at + units(end..range.start);
        let length = units(range.clone());
        highlights.push(Highlight { start, length });
        (at, end) = (start + length, range.end);
    }
    highlights
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The highlighted parts of a content, as a client cuts them.
    fn shown(query: &str, content: &str) -> Option<Vec<String>> {
        let query: Query = query.parse().expect("a query");
        let units: Vec<u16> = content.encode_utf16().collect();
        let cut = |h: &Highlight| {
            String::from_utf16(&units[h.start..h.start + h.length]).expect("whole characters")
        };
        Some(query.highlights(content)?.iter().map(cut).collect())
    }

    #[test]
    fn a_content_matches_all_terms_of_a_query() {
        let content = "👍 Die Frist läuft; die FRIST endet 😀 im März.";
        for (query, expected) in [
            ("frist", Some(vec!["Frist", "FRIST"])),
            ("marz frist", Some(vec!["Frist", "FRIST", "März"])),
            ("\"die frist\"", Some(vec!["Die Frist", "die FRIST"])),
            (
                "\"frist endet\" die",
                Some(vec!["Die", "die", "FRIST endet"]),
            ),
            (
                "\"die frist\" \"frist endet\"",
                Some(vec!["Die Frist", "die FRIST endet"]),
            ),
            ("l* 👍", Some(vec!["👍", "läuft"])),
            ("\"endet frist\"", None),
            ("frist -marz", None),
            ("frist -april", Some(vec!["Frist", "FRIST"])),
            ("frist -\"endet frist\"", Some(vec!["Frist", "FRIST"])),
            ("frist -m*", None),
            ("fris", None),
        ] {
            let expected = expected.map(|parts| parts.into_iter().map(str::to_owned).collect());
            assert_eq!(shown(query, content), expected, "{query}");
        }
    }

    #[test]
    fn highlights_are_the_first_hundred() {
        let shown = shown("a", &"a ".repeat(300)).expect("a match");
        assert_eq!(shown.len(), MAX_HIGHLIGHTS);
    }

    proptest! {
        #[test]
        fn a_word_of_a_content_finds_it(content in any::<String>()) {
            for word in words(&content).take(32) {
                let query = format!("\"{}", &content[word.range.clone()]);
                let Ok(query) = query.parse::<Query>() else { continue };
                // A word that is cut anew without its neighbours may be other words.
                if query.terms.len() == 1 && query.terms[0].words == [word.folded.clone()] {
                    prop_assert!(query.highlights(&content).is_some());
                }
            }
        }

        #[test]
        fn highlights_are_parts_of_the_content_in_their_order(
            content in "[ab👍東ß .-]{0,40}", query in "[ab👍東 \"*]{0,9}"
        ) {
            let Ok(query) = query.parse::<Query>() else { return Ok(()) };
            let mut end = 0;
            for highlight in query.highlights(&content).unwrap_or_default() {
                prop_assert!(highlight.length > 0 && (end == 0 || highlight.start >= end));
                end = highlight.start + highlight.length;
            }
            prop_assert!(end <= content.encode_utf16().count());
        }
    }
}
