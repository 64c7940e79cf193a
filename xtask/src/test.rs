//! `test`: all tests, with real components and real stores.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use clap::Args;
use dev_services::{Durability, Options, progress};

use crate::{browser, build, cargo, workspace};

/// Build everything and run the tests with real components, Redis and PostgreSQL.
#[derive(Args)]
pub struct Arguments {
    /// Test only this package.
    #[arg(long, short, value_name = "NAME")]
    package: Option<String>,
    /// Run only these integration tests: a program of tests/tests (api, devhost, hostile, page) or
    /// an area of the API (messages, presence, ...).
    #[arg(long, value_name = "NAME", conflicts_with = "package")]
    test: Option<String>,
    /// Run only tests with this text in their names; with an area, tests whose names start with it.
    filter: Option<String>,
    /// Options of the test programs, for example --nocapture.
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<String>,
}

/// The tests of the API mostly wait, so more of them run at once than there are cores.
const API_THREADS: usize = 4;
const API: &str = "api";
/// The areas of the API that are tested a second time on a devhost that does only what Spin does.
const STRICT_AREAS: [&str; 8] = [
    "conversations::",
    "events::",
    "http::",
    "messages::",
    "presence::",
    "receipts::",
    "system_messages::",
    "typing::",
];
/// Tests that stop Redis: then Spin ends, and so does that devhost. And the sockets, which are no part
/// of these areas.
const SKIPPED: [&str; 7] = [
    "gateway::",
    "crashes_of_host_and_redis",
    "needs_redis",
    "redis_is_back",
    "redis_is_down",
    "while_redis",
    "without_redis",
];
/// The environment variable that makes the test kit start such devhosts.
const STRICT: &str = "TESTKIT_STRICT";
/// The areas of the API that are tested a second time with sealed contents: where they are written, shared,
/// searched and read.
const SEALED_AREAS: [&str; 9] = [
    "assistant::",
    "conversations::",
    "events::",
    "gateway::frames::",
    "messages::",
    "records::",
    "relay::",
    "search::",
    "system_messages::",
];
/// The environment variable that makes the test kit start devhosts that seal contents.
const SEALED: &str = "TESTKIT_SEALED";
const THREADS: &str = "RUST_TEST_THREADS";

/// One run of `cargo test`.
struct Run {
    arguments: Vec<String>,
    filter: Option<String>,
    threads: Option<usize>,
    /// On which devhosts.
    on: Devhosts,
}

/// What the devhosts of a run do that others do not.
#[derive(Clone, Copy)]
enum Devhosts {
    Usual,
    /// Only what Spin does.
    Strict,
    /// They seal contents.
    Sealed,
}

impl Devhosts {
    /// The environment variable for the test kit, the tests that are left out, and the areas.
    const fn selection(
        self,
    ) -> Option<(
        &'static str,
        &'static [&'static str],
        &'static [&'static str],
    )> {
        match self {
            Self::Usual => None,
            Self::Strict => Some((STRICT, &SKIPPED, &STRICT_AREAS)),
            Self::Sealed => Some((SEALED, &[], &SEALED_AREAS)),
        }
    }
}

pub fn run(arguments: Arguments) -> Result<()> {
    let runs = runs(&arguments)?;
    build::run()?;
    dev_services::install_missing(&Options::from_environment(Durability::Ephemeral))?;
    dev_services::pushpin::install_missing()?;
    let lacks_browser = wants_browser(&arguments) && !browser::install_missing()?;
    let failed: Vec<String> = runs
        .iter()
        .filter(|run| !run.passes(&arguments.options, lacks_browser))
        .map(|run| format!("cargo test {}", run.arguments.join(" ")))
        .collect();
    if lacks_browser {
        progress("SKIPPED: the tests of the page that need Chromium, which is not installed");
    }
    if !failed.is_empty() {
        bail!("tests failed; to repeat them: {}", failed.join(" and "));
    }
    Ok(())
}

/// Whether the tests of the page are selected.
fn wants_browser(Arguments { package, test, .. }: &Arguments) -> bool {
    let is = |name: &Option<String>, wanted| name.as_deref().is_none_or(|name| name == wanted);
    is(package, "tests") && is(test, "page")
}

fn runs(arguments: &Arguments) -> Result<Vec<Run>> {
    let filter = &arguments.filter;
    match (&arguments.package, &arguments.test) {
        (Some(package), _) if package == "devhost" => Ok(vec![devhost(filter)]),
        (Some(package), _) => Ok(vec![Run::new(&["--package", package], filter)]),
        (None, Some(test)) => integration(test, filter).map(|run| vec![run]),
        (None, None) => Ok(vec![
            devhost(filter),
            Run::new(
                &["--workspace", "--exclude", "devhost", "--exclude", "tests"],
                filter,
            ),
            api(filter.clone()),
            again(Devhosts::Strict, filter),
            again(Devhosts::Sealed, filter),
            others(filter)?,
        ]),
    }
}

/// The unit tests of devhost use the release build of `build`, since compiling wasmtime again
/// takes minutes. All other tests compile faster without optimisation.
fn devhost(filter: &Option<String>) -> Run {
    Run::new(
        &["--profile", workspace::HOST_PROFILE, "--package", "devhost"],
        filter,
    )
}

fn api(filter: Option<String>) -> Run {
    Run {
        threads: Some(API_THREADS),
        ..Run::new(&["--package", "tests", "--test", API], &filter)
    }
}

/// What users of the API notice, on other devhosts. A filter takes the place of the areas.
fn again(on: Devhosts, filter: &Option<String>) -> Run {
    Run {
        on,
        ..api(filter.clone())
    }
}

/// All other programs of the integration tests.
fn others(filter: &Option<String>) -> Result<Run> {
    let mut run = Run::new(&["--package", "tests", "--lib"], filter);
    for entry in std::fs::read_dir(programs())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != API && is_program(&name) {
            run.arguments.extend(["--test".into(), name]);
        }
    }
    Ok(run)
}

fn programs() -> PathBuf {
    workspace::root().join("tests/tests")
}

fn is_program(name: &str) -> bool {
    programs().join(name).join("main.rs").is_file()
}

/// A program of the integration tests, or an area of the program `api`.
fn integration(name: &str, filter: &Option<String>) -> Result<Run> {
    if name == API {
        return Ok(api(filter.clone()));
    }
    if is_program(name) {
        return Ok(Run::new(&["--package", "tests", "--test", name], filter));
    }
    let area = programs().join(API).join(name);
    ensure!(
        area.is_dir() || area.with_extension("rs").is_file(),
        "there is no test program tests/tests/{name} and no area tests/tests/api/{name}"
    );
    let filter = filter.as_deref().unwrap_or_default();
    Ok(api(Some(format!("{name}::{filter}"))))
}

impl Run {
    fn new(arguments: &[&str], filter: &Option<String>) -> Self {
        Self {
            arguments: arguments.iter().map(ToString::to_string).collect(),
            filter: filter.clone(),
            threads: None,
            on: Devhosts::Usual,
        }
    }

    fn passes(&self, options: &[String], lacks_browser: bool) -> bool {
        let mut test = cargo::command();
        test.args(["test", "--no-fail-fast"]).args(&self.arguments);
        if lacks_browser && self.arguments.iter().any(|argument| argument == "page") {
            test.args(["--features", "no-browser"]);
        }
        test.args(&self.filter).arg("--").args(options);
        if let Some((variable, skipped, areas)) = self.on.selection() {
            test.env(variable, "1");
            test.args(skipped.iter().flat_map(|name| ["--skip", name]));
            if self.filter.is_none() {
                test.args(areas);
            }
        }
        if let Some(threads) = self.threads
            && std::env::var_os(THREADS).is_none()
        {
            test.env(THREADS, threads.to_string());
        }
        let result = cargo::run(test);
        if let Err(error) = &result {
            progress(format_args!("{error:#}"));
        }
        result.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::integration;

    #[test]
    fn a_program_or_an_area_is_selected_by_its_name() {
        let run = |name| integration(name, &None).unwrap();
        assert_eq!(run("page").arguments.last().unwrap(), "page");
        assert_eq!(run("page").filter, None);
        assert_eq!(run("messages").arguments.last().unwrap(), "api");
        assert_eq!(run("messages").filter.as_deref(), Some("messages::"));
        assert_eq!(run("events").filter.as_deref(), Some("events::"));
        assert!(integration("nothing", &None).is_err());
    }
}
