//! `spin:variables`: the values of the component's `variables` table.

use wasmtime::component::Accessor;

use crate::{
    bindings::spin::variables::variables::{Error, Host, HostWithStore},
    config::variables::check_name,
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
