//! `env`: the URLs of the running instance, for a shell.

use anyhow::Result;
use clap::Args;

use crate::instance;

/// Print REDIS_URL and DATABASE_URL of the running instance, for eval "$(cargo xtask env)".
#[derive(Args)]
pub struct Arguments {}

pub fn run() -> Result<()> {
    let urls = instance::running()?;
    println!("REDIS_URL={}", shlex::try_quote(&urls.redis)?);
    println!("DATABASE_URL={}", shlex::try_quote(&urls.database)?);
    println!("export REDIS_URL DATABASE_URL");
    Ok(())
}
