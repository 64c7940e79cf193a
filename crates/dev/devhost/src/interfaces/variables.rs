//! `spin:variables`: the values of the component's `variables` table.

use anyhow::ensure;
use wasmtime::component::Accessor;

use crate::{
    bindings::spin::variables::variables::{Error, Host, HostWithStore},
    guest::{GuestState, SpinHost},
};

impl Host for GuestState {
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl<T: Send> HostWithStore<T> for SpinHost {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, Error> {
        check_name(&name).map_err(|error| Error::InvalidName(error.to_string()))?;
        accessor.with(|mut access| {
            let context = &access.get().context;
            let value = context.variables.get(&name).cloned();
            value.ok_or_else(|| {
                Error::Undefined(format!("no variable for {:?}.{name:?}", context.id))
            })
        })
    }
}

/// Spin's rule for the names that a guest passes: lower-case words of letters
/// and digits, joined by `_`. Unlike in a manifest, a word may start with a digit.
fn check_name(name: &str) -> anyhow::Result<()> {
    let is_word_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(is_word_byte);
    ensure!(
        name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('_').all(is_word),
        "`{name}` is not a variable name: use lower-case letters, digits and single underscores"
    );
    Ok(())
}
