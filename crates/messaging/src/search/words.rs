//! The words of a text: cut at Unicode's word boundaries (UAX #29), and folded so that neither case nor
//! accents matter. Contents and queries are cut by the same rules.
//!
//! A word has a letter, a digit or an emoji. Scripts that are written without spaces have no dictionary
//! here: each ideograph, kana or Thai cluster is a word, and what is written together in a query is
//! searched for as a phrase.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

/// How many bytes of a folded word count: two longer ones that begin alike are the same word.
const MAX_WORD_BYTES: usize = 255;

/// A word and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, folded.
    pub folded: String,
    /// Its bytes in the text.
    pub range: Range<usize>,
}

/// The words of a text in their order.
pub fn words(text: &str) -> impl Iterator<Item = Word> {
    text.split_word_bound_indices()
        .filter(|(_, segment)| is_word(segment))
        .map(|(start, segment)| Word {
            folded: fold(segment),
            range: start..start + segment.len(),
        })
        .filter(|word| !word.folded.is_empty())
}

/// A mark that follows a space is no word, though it may count as a letter.
fn is_word(segment: &str) -> bool {
    !segment.contains(char::is_whitespace)
        && segment.chars().any(|c| c.is_alphanumeric() || is_emoji(c))
}

/// ASCII has digits, `#` and `*` among the emoji; with a keycap (U+20E3) they are drawn as one.
fn is_emoji(character: char) -> bool {
    character == '\u{20e3}' || !character.is_ascii() && character.is_emoji_char()
}

/// A word without case, accents, compatibility forms, and characters that are not seen.
fn fold(word: &str) -> String {
    if word.is_ascii() {
        let end = word.len().min(MAX_WORD_BYTES);
        return word[..end].to_ascii_lowercase();
    }
    let mut folded: String = word
        .nfkd()
        .filter(|c| !is_ignored(*c))
        // Upper case first: ß is ss, and final sigma is sigma.
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .map(without_stroke)
        .nfc()
        .collect();
    folded.truncate(folded.floor_char_boundary(MAX_WORD_BYTES));
    folded
}

/// Accents, variation selectors, skin tones, and characters that only direct how text is laid out.
fn is_ignored(character: char) -> bool {
    is_accent(character)
        || matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
        || character.general_category() == GeneralCategory::Format
}

/// By the canonical combining class. Not the marks without which a word is another one: nuktas, viramas
/// and voicing marks (7 to 9), vowels and tones of Telugu, Thai, Lao and Tibetan (84 to 132).
fn is_accent(character: char) -> bool {
    matches!(canonical_combining_class(character), 1..=6 | 10..=36 | 200..)
}

/// Letters with a stroke do not decompose, and the apostrophe has two forms.
const fn without_stroke(character: char) -> char {
    match character {
        'ø' => 'o',
        'ł' => 'l',
        'đ' => 'd',
        'ħ' => 'h',
        'ŧ' => 't',
        '’' => '\'',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(text: &str) -> Vec<String> {
        words(text).map(|word| word.folded).collect()
    }

    #[test]
    fn words_are_cut_at_unicode_boundaries() {
        assert_eq!(
            folded("Guten Tag, Frau Ünal!"),
            ["guten", "tag", "frau", "unal"]
        );
        assert_eq!(
            folded("don’t e-mail 3.14 a_b"),
            ["don't", "e", "mail", "3.14", "a_b"]
        );
        assert_eq!(folded("§ 433 BGB — (neu)"), ["433", "bgb", "neu"]);
        assert_eq!(folded("東京カタカナ"), ["東", "京", "カタカナ"]);
        assert_eq!(folded(" \t.,-*\"…"), [""; 0]);
    }

    #[test]
    fn case_and_accents_do_not_matter() {
        for (one, other) in [
            ("STRASSE", "Straße"),
            ("Crème", "CREME"),
            ("Łódź", "lodz"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("İstanbul", "istanbul"),
            ("Ёлка", "елка"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("Ｗｉｄｅ", "wide"),
            ("ﬁnal", "FINAL"),
            ("e\u{301}t\u{e9}", "ete"),
            ("Ver\u{ad}trag", "vertrag"),
            ("👍🏽", "👍"),
            ("❤️", "❤"),
            ("한\u{1100}", "\u{1112}\u{1161}\u{11ab}\u{1100}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one}");
            assert_eq!(folded(one).len(), 1, "{one}");
        }
    }

    #[test]
    fn marks_that_make_another_word_stay() {
        for (one, other) in [
            ("が", "か"),
            ("कि", "क"),
            ("กุ", "ก"),
            ("क़", "क"),
            ("👍", "👎"),
        ] {
            assert_ne!(folded(one), folded(other), "{one}");
        }
    }

    #[test]
    fn an_emoji_is_a_word() {
        assert_eq!(folded("ok 👍👎 🇩🇪🇫🇷 👩‍💻 #️⃣").len(), 7);
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing(text in any::<String>()) {
            for word in words(&text) {
                prop_assert!(word.folded.len() <= MAX_WORD_BYTES);
                prop_assert_eq!(fold(&word.folded), word.folded.clone());
                prop_assert!(!text[word.range].contains(char::is_whitespace));
            }
        }

        #[test]
        fn words_follow_each_other(text in any::<String>()) {
            let mut end = 0;
            for word in words(&text) {
                prop_assert!(end <= word.range.start && word.range.start < word.range.end);
                end = word.range.end;
            }
        }
    }
}
