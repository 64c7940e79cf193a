//! User and password of a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::InvalidUrl;

/// What is not unreserved (RFC 3986, 2.3).
const SPECIAL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Writes a percent-encoded or raw text so that no client reads anything else into it.
pub fn canonical(text: &str) -> Result<String, InvalidUrl> {
    Ok(percent_encode(&decode(text)?, SPECIAL).to_string())
}

fn decode(text: &str) -> Result<Vec<u8>, InvalidUrl> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => match (digit(bytes.next())?, digit(bytes.next())?) {
                (0, 0) => return Err(InvalidUrl::PercentEncoding),
                (high, low) => high * 16 + low,
            },
            byte => byte,
        });
    }
    Ok(decoded)
}

fn digit(byte: Option<u8>) -> Result<u8, InvalidUrl> {
    let value = byte.and_then(|byte| char::from(byte).to_digit(16));
    value
        .and_then(|value| u8::try_from(value).ok())
        .ok_or(InvalidUrl::PercentEncoding)
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_read_back_from_its_canonical_form(text in "[^%\0]*") {
            let canonical = canonical(&text).unwrap();
            let decoded = percent_decode_str(&canonical).decode_utf8().unwrap();
            prop_assert_eq!(decoded.as_ref(), text.as_str());
            prop_assert!(canonical.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
        }

        #[test]
        fn the_canonical_form_of_a_canonical_form_is_itself(text in "[^%\0]*") {
            let once = canonical(&text).unwrap();
            prop_assert_eq!(canonical(&once).unwrap(), once);
        }

        #[test]
        fn any_text_is_encoded_or_refused(text in any::<String>()) {
            let _ = canonical(&text);
        }
    }

    #[test]
    fn an_incomplete_percent_encoding_is_refused() {
        for text in ["50%", "%4", "%zz", "a%00b"] {
            assert_eq!(canonical(text), Err(InvalidUrl::PercentEncoding), "{text}");
        }
        assert_eq!(canonical("%3f?").as_deref(), Ok("%3F%3F"));
    }
}
