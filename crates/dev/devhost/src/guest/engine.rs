//! The wasmtime engine, and what it links into guests.

use std::{path::Path, thread, time::Duration};

use anyhow::{Context, Result};
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    component::Linker,
};

use crate::{
    bindings::spin,
    guest::{GuestState, SpinHost},
};

/// The interval at which a guest that computes yields its thread.
const EPOCH_TICK: Duration = Duration::from_millis(10);

/// The most live instances of all components; Spin's limit.
const MAX_INSTANCES: u32 = 1_000;

/// Makes the engine. Compiled components are kept in `cache_dir`.
pub fn engine(cache_dir: &Path) -> Result<Engine> {
    let mut config = Config::new();
    config
        .cache(Some(cache(cache_dir)?))
        .epoch_interruption(true)
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    let engine = Engine::new(&config)?;
    start_epoch_ticks(&engine)?;
    Ok(engine)
}

fn cache(directory: &Path) -> Result<Cache> {
    let mut config = CacheConfig::new();
    // wasmtime accepts an absolute path only.
    config.with_directory(std::path::absolute(directory)?);
    Cache::new(config)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("could not use the cache directory {}", directory.display()))
}

/// Instances come from a pool: to map new memory for each costs more than a
/// short request.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(MAX_INSTANCES)
        .total_core_instances(4 * MAX_INSTANCES)
        .total_memories(MAX_INSTANCES)
        .total_tables(2 * MAX_INSTANCES)
        .total_stacks(MAX_INSTANCES)
        .table_elements(100_000)
        .max_core_instances_per_component(200)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(512 << 10);
    pool
}

/// Advances the epoch for as long as the engine lives, see
/// [`Guest::store`](crate::guest::Guest::store).
fn start_epoch_ticks(engine: &Engine) -> Result<()> {
    let engine = engine.weak();
    let run = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(EPOCH_TICK);
        }
    };
    thread::Builder::new().name("epoch".to_owned()).spawn(run)?;
    Ok(())
}

/// Everything that a guest may import.
pub fn linker(engine: &Engine) -> Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    spin::postgres::postgres::add_to_linker::<_, SpinHost>(&mut linker, |state| state)?;
    spin::redis::redis::add_to_linker::<_, SpinHost>(&mut linker, |state| state)?;
    spin::variables::variables::add_to_linker::<_, SpinHost>(&mut linker, |state| state)?;
    Ok(linker)
}
