//! `schema`: the schema that the migrations create, in one file.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;
use dev_services::{
    DirectoryLock, Durability, Options, Stores, Template, TemporaryDirectory, postgres, progress,
};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::{cargo, workspace};

/// Write migrations/schema.sql, the schema after all migrations.
///
/// It is for readers: no program applies it. `cargo xtask check` fails unless it is current.
#[derive(Args)]
pub struct Arguments {}

const TITLE: &str =
    "-- The schema after all migrations, for readers. `cargo xtask schema` generates it";

/// Lines that depend on the version of pg_dump.
const NOISE: [&str; 4] = ["--", "SET ", "SELECT pg_catalog.set_config", "\\"];

pub async fn run() -> Result<()> {
    let file = file();
    let schema = generate(&header()?).await?;
    std::fs::write(&file, schema).with_context(|| format!("cannot write {}", file.display()))?;
    progress(format_args!("wrote {}", file.display()));
    Ok(())
}

/// Fails unless the file is what [`run`] would write. Major versions of PostgreSQL print some
/// expressions differently, so the file of another one is not compared.
pub async fn is_current() -> Result<()> {
    let found = std::fs::read_to_string(file()).unwrap_or_default();
    let (title, header) = (found.lines().next().unwrap_or_default(), header()?);
    if title.starts_with(TITLE) && title != header {
        progress("schema.sql is not compared: it is of another version of PostgreSQL");
        return Ok(());
    }
    ensure!(
        found == generate(&header).await?,
        "migrations/schema.sql is not current: run `cargo xtask schema`"
    );
    Ok(())
}

/// The first line of the file, with the major version of PostgreSQL.
fn header() -> Result<String> {
    dev_services::install_missing(&Options::private(Durability::Ephemeral))?;
    let mut version = Command::new(postgres::client_program("pg_dump")?);
    version.arg("--version");
    let version = cargo::output(version)?;
    let major = version
        .split(' ')
        .nth(2)
        .and_then(|full| full.split('.').next())
        .context("pg_dump printed no version")?;
    Ok(format!("{TITLE} with PostgreSQL {}.", major.trim()))
}

fn file() -> PathBuf {
    workspace::migrations().join("schema.sql")
}

async fn generate(header: &str) -> Result<String> {
    let home = TemporaryDirectory::create()?;
    let options = Options {
        template: Some(Template::of_repository(workspace::root()).await?),
        ..Options::private(Durability::Ephemeral)
    };
    let stores = Stores::start(options, DirectoryLock::take(home.path())?).await?;
    Ok(normalise(header, &dump(stores.database_url())?))
}

fn dump(database_url: &str) -> Result<String> {
    let config: Config = database_url.parse()?;
    let (Some(Host::Tcp(host)), Some(port)) =
        (config.get_hosts().first(), config.get_ports().first())
    else {
        anyhow::bail!("the private PostgreSQL has no TCP address")
    };
    let mut dump = Command::new(postgres::client_program("pg_dump")?);
    dump.args(["--schema-only", "--no-owner", "--no-privileges"]);
    dump.args(["--exclude-table", "refinery_schema_history"]);
    dump.env("PGHOST", host).env("PGPORT", port.to_string());
    dump.env("PGUSER", config.get_user().unwrap_or_default());
    dump.env("PGDATABASE", config.get_dbname().unwrap_or_default());
    let password = config.get_password().unwrap_or_default();
    dump.env("PGPASSWORD", String::from_utf8_lossy(password).as_ref());
    cargo::output(dump)
}

/// The statements of a dump: without comments, settings and repeated empty lines.
fn normalise(header: &str, dump: &str) -> String {
    let mut lines = vec![header];
    for line in dump.lines() {
        let is_noise = NOISE.iter().any(|start| line.starts_with(start));
        let is_repeated = line.is_empty() && lines.last().is_some_and(|last| last.is_empty());
        if !is_noise && !is_repeated {
            lines.push(line);
        }
    }
    lines.join("\n").trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn only_statements_are_kept() {
        let dump = "--\n-- PostgreSQL database dump\n--\n\n\\restrict x\n\n-- Dumped from database version 15\n\n\
            SET lock_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\n\
            CREATE TABLE public.a (\n    n integer\n);\n\n\n--\n-- dump complete\n--\n\n";
        let expected = String::from("-- header\n\nCREATE TABLE public.a (\n    n integer\n);\n");
        assert_eq!(normalise("-- header", dump), expected);
    }
}
