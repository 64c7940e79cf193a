//! Which characters can be seen, and which turn a text around.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Characters with no ink that no general category lists: Unicode's default ignorable code points
/// beyond its format characters, and characters that are drawn as nothing or as a blank.
const BLANK: [(char, char); 17] = [
    // Combining grapheme joiner.
    ('\u{34f}', '\u{34f}'),
    // Hangul fillers.
    ('\u{115f}', '\u{1160}'),
    // Khmer inherent vowels.
    ('\u{17b4}', '\u{17b5}'),
    // Mongolian variation selectors.
    ('\u{180b}', '\u{180f}'),
    ('\u{2065}', '\u{2065}'),
    // Braille pattern without dots.
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    // Noncharacters.
    ('\u{fdd0}', '\u{fdef}'),
    // Variation selectors.
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{fffe}', '\u{ffff}'),
    // Egyptian hieroglyphs without a sign.
    ('\u{13441}', '\u{13442}'),
    // Khitan filler.
    ('\u{16fe4}', '\u{16fe4}'),
    // Musical symbol null notehead.
    ('\u{1d159}', '\u{1d159}'),
    // Tags and further variation selectors.
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{10fffe}', '\u{10ffff}'),
];

/// Whether a reader sees something of the character by itself.
pub fn is_visible(character: char) -> bool {
    let is_blank = || {
        let between = |(first, last): &(char, char)| (*first..=*last).contains(&character);
        BLANK.iter().any(between)
    };
    character.is_ascii_graphic()
        || !(character.is_whitespace()
            || character.is_control()
            || character.general_category() == GeneralCategory::Format
            || is_blank())
}

/// Whether the character ends a line or is meant for a device.
pub fn breaks_a_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Whether the character makes what follows it look like another text: the embeddings, overrides
/// and isolates of the bidirectional algorithm (UAX #9).
pub fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
