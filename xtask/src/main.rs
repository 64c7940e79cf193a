//! The commands of this repository; `cargo xtask --help` lists them.
//!
//! # Layout
//!
//! One module per command, and modules that several of them use:
//!
//! - [`workspace`]: paths in the repository, and which packages become components
//! - [`cargo`]: commands of cargo and others, run and checked
//! - [`toolchain`]: a compiler for the components, installed if it is missing
//! - [`browser`]: Chromium, for the tests of the page
//! - [`instance`]: the stores of this checkout
//! - [`content_keys`]: the keys that seal contents

mod bench;
mod browser;
mod build;
mod cargo;
mod check;
mod content_keys;
mod env;
mod flush;
mod instance;
mod migrate;
mod reindex;
mod reseal;
mod schema;
mod seed;
mod test;
mod token;
mod toolchain;
mod torture;
mod up;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// LexiFlow Messaging: set up, run, test and check this repository.
///
/// Each command installs what it needs and the machine lacks: a compiler for WebAssembly, Redis,
/// PostgreSQL. If REDIS_URL or DATABASE_URL is set, that server is used instead of a private one.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(up::Arguments),
    Test(test::Arguments),
    Torture(torture::Arguments),
    Build(build::Arguments),
    Migrate(migrate::Arguments),
    Seed(seed::Arguments),
    Flush(flush::Arguments),
    Reindex(reindex::Arguments),
    Reseal(reseal::Arguments),
    Schema(schema::Arguments),
    Env(env::Arguments),
    Token(token::Arguments),
    Check(check::Arguments),
    Bench(bench::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Up(arguments) => return up::run(arguments).await,
        Command::Test(arguments) => test::run(arguments)?,
        Command::Torture(arguments) => torture::run(&arguments)?,
        Command::Build(_) => build::run()?,
        Command::Migrate(_) => migrate::run().await?,
        Command::Seed(_) => seed::run().await?,
        Command::Flush(_) => flush::run().await?,
        Command::Reindex(arguments) => reindex::run(arguments).await?,
        Command::Reseal(_) => reseal::run().await?,
        Command::Schema(_) => schema::run().await?,
        Command::Env(_) => env::run()?,
        Command::Token(arguments) => token::run(arguments)?,
        Command::Check(_) => check::run().await?,
        Command::Bench(arguments) => bench::run(arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The names of all commands.
fn command_names() -> Vec<String> {
    use clap::CommandFactory;
    Arguments::command()
        .get_subcommands()
        .map(|command| command.get_name().to_string())
        .collect()
}
