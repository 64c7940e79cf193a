//! Lua scripts.

use super::Repeat;

/// A Lua script on keys of one hash slot, so that it runs on a cluster too. Its file says what its
/// KEYS and ARGV are.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    pub(super) source: &'static str,
    /// The SHA-1 of the source, in hexadecimal: by this name Redis has a script that it ran before.
    pub(super) name: [u8; 40],
    pub(super) repeat: Repeat,
}

impl Script {
    /// A script that may run twice without a visible effect.
    #[must_use]
    pub const fn idempotent(source: &'static str) -> Self {
        Self::new(source, Repeat::Safe)
    }

    /// A script whose second run would have a second effect.
    #[must_use]
    pub const fn once(source: &'static str) -> Self {
        Self::new(source, Repeat::Unsafe)
    }

    const fn new(source: &'static str, repeat: Repeat) -> Self {
        let name = hexadecimal(const_sha1::sha1(source.as_bytes()).as_bytes());
        Self {
            source,
            name,
            repeat,
        }
    }
}

/// In a constant, where there are neither iterators nor `format!`.
const fn hexadecimal(digest: [u8; 20]) -> [u8; 40] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 40];
    let mut at = 0;
    while at < digest.len() {
        text[2 * at] = DIGITS[(digest[at] >> 4) as usize];
        text[2 * at + 1] = DIGITS[(digest[at] & 15) as usize];
        at += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_has_the_name_that_redis_gives_it() {
        const SCRIPT: Script = Script::idempotent("return 1");
        // The reply to `SCRIPT LOAD "return 1"`.
        assert_eq!(&SCRIPT.name, b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    }

    #[test]
    fn a_script_of_several_blocks_too() {
        // FIPS 180-4: the message of 112 letters that NIST gives with its digest.
        const SCRIPT: Script = Script::once(
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        );
        assert_eq!(&SCRIPT.name, b"a49b2446a02c645bf419f995b67091253a04a259");
    }
}
