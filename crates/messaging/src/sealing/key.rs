//! One key, and what is derived from it: a key for each purpose, so that none tells of another.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, Tag, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, KeyInit, Mac};
use platform::random;
use sha2::Sha256;

use super::binding::Binding;

/// How long a key is, in bytes.
pub const KEY_BYTES: usize = 32;
/// XChaCha20's nonce: long enough to be random.
const NONCE_BYTES: usize = 24;
/// Poly1305's tag.
const TAG_BYTES: usize = 16;

/// A key by its name.
pub struct Key {
    /// The name, which sealed texts begin with.
    pub id: String,
    /// Derives a key for a purpose.
    source: Hmac<Sha256>,
    cipher: XChaCha20Poly1305,
    nonces: Hmac<Sha256>,
    lexemes: Hmac<Sha256>,
}

impl Key {
    pub fn new(id: String, secret: &[u8; KEY_BYTES]) -> Self {
        let source = mac(secret);
        let derived = |purpose: &[u8]| derive(&source, purpose);
        Self {
            id,
            cipher: XChaCha20Poly1305::new(&derived(b"lexiflow contents").into()),
            nonces: mac(&derived(b"lexiflow nonces")),
            lexemes: mac(&derived(b"lexiflow lexemes")),
            source,
        }
    }

    /// A text, sealed: nonce, ciphertext and tag.
    pub fn seal(&self, text: &[u8], binding: Binding) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        for part in nonce.chunks_exact_mut(8) {
            part.copy_from_slice(&random::number().to_le_bytes());
        }
        self.seal_with(nonce, text, binding)
    }

    /// As [`Self::seal`], and the same each time for the same text and number. It reveals which of two texts
    /// with one number are equal, and nothing else.
    pub fn seal_for(&self, number: i64, text: &[u8], binding: Binding) -> Vec<u8> {
        let code = self.nonces.clone();
        let code = code.chain_update(binding.to_bytes());
        let code = code.chain_update(number.to_be_bytes()).chain_update(text);
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&code.finalize().into_bytes()[..NONCE_BYTES]);
        self.seal_with(nonce, text, binding)
    }

    fn seal_with(&self, nonce: [u8; NONCE_BYTES], text: &[u8], binding: Binding) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(NONCE_BYTES + text.len() + TAG_BYTES);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(text);
        let buffer = InOutBuf::from(&mut sealed[NONCE_BYTES..]);
        let tag =
            self.cipher
                .encrypt_inout_detached(&XNonce::from(nonce), &binding.to_bytes(), buffer);
        // It fails above 256 GiB only. Without a tag nothing opens, and nothing is in clear.
        sealed.extend_from_slice(&tag.unwrap_or_default());
        sealed
    }

    /// The text in what [`Self::seal`] gave, in its place; none if that was changed, moved, or is of another
    /// key.
    pub fn open<'a>(&self, sealed: &'a mut [u8], binding: Binding) -> Option<&'a [u8]> {
        let (nonce, rest) = sealed.split_first_chunk_mut::<NONCE_BYTES>()?;
        let (text, tag) = rest.split_last_chunk_mut::<TAG_BYTES>()?;
        let (nonce, tag) = (XNonce::from(*nonce), Tag::from(*tag));
        let buffer = InOutBuf::from(&mut *text);
        self.cipher
            .decrypt_inout_detached(&nonce, &binding.to_bytes(), buffer, &tag)
            .ok()?;
        Some(text)
    }

    /// A key for another purpose.
    pub fn for_purpose(&self, purpose: &str) -> [u8; KEY_BYTES] {
        derive(&self.source, purpose.as_bytes())
    }

    /// A code of a lexeme, which the database has in its place.
    pub fn code_of(&self, lexeme: &str) -> [u8; 32] {
        let code = self.lexemes.clone().chain_update(lexeme).finalize();
        code.into_bytes().into()
    }
}

fn derive(source: &Hmac<Sha256>, purpose: &[u8]) -> [u8; KEY_BYTES] {
    let code = source.clone().chain_update(purpose).finalize();
    code.into_bytes().into()
}

fn mac(key: &[u8; KEY_BYTES]) -> Hmac<Sha256> {
    // HMAC fills a key up with zeros to the length of a block.
    let mut block = [0; 64];
    block[..KEY_BYTES].copy_from_slice(key);
    Hmac::new(&block.into())
}
