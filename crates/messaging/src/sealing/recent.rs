//! Texts that an instance has opened lately: a list that is read often, and a message that goes to many
//! streams, are opened once.

use std::collections::HashMap;

use super::binding::Binding;

/// How many bytes of texts, sealed and opened, one generation has; two are kept.
const GENERATION: usize = 512 * 1024;

type Generation = HashMap<Box<[u8]>, (Binding, Box<[u8]>)>;

/// Opened texts in JSON by their sealed ones.
#[derive(Default)]
pub struct Recent {
    young: Generation,
    old: Generation,
    bytes: usize,
}

impl Recent {
    /// The text in JSON, if what is sealed was opened in this place.
    pub fn get(&mut self, sealed: &[u8], binding: Binding) -> Option<&[u8]> {
        if !self.young.contains_key(sealed) {
            let (sealed, (binding, text)) = self.old.remove_entry(sealed)?;
            self.insert(sealed, binding, text);
        }
        let (opened_in, text) = self.young.get(sealed)?;
        (*opened_in == binding).then_some(text)
    }

    /// Keeps an opened text.
    pub fn insert(&mut self, sealed: Box<[u8]>, binding: Binding, text: Box<[u8]>) {
        self.bytes += sealed.len() + text.len();
        if self.bytes > GENERATION {
            self.bytes = sealed.len() + text.len();
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(sealed, (binding, text));
    }
}
