//! Commands of cargo and others. One that fails is an error.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use dev_services::process::{self, Signal};

use crate::workspace;

const PACKAGE_VARIABLES: [&str; 5] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_NAME",
    "CARGO_PRIMARY_PACKAGE",
];

/// The cargo that runs this program, in the folder of the repository.
pub fn command() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace::root());
    remove_package_variables(&mut command);
    command
}

/// Removes the variables that describe this program's package. Some build scripts depend on them,
/// and would run again whenever a build from a shell follows one from here.
pub fn remove_package_variables(command: &mut Command) {
    let of_package = |name: &str| {
        PACKAGE_VARIABLES
            .iter()
            .any(|start| name.starts_with(start))
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_package)) {
        command.env_remove(name);
    }
}

/// Runs a command that shares this program's output.
pub fn run(command: Command) -> Result<()> {
    let shown = show(&command);
    let status = process::spawn(command, Signal::TERM)?.wait()?;
    ensure!(status.success(), "`{shown}` ended with {status}");
    Ok(())
}

/// Runs a command and returns its standard output.
pub fn output(mut command: Command) -> Result<String> {
    let shown = show(&command);
    command.stdout(Stdio::piped());
    let output = process::spawn(command, Signal::TERM)?.wait_with_output()?;
    ensure!(
        output.status.success(),
        "`{shown}` ended with {}",
        output.status
    );
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` did not print UTF-8"))
}

fn show(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy());
    std::iter::once(program.to_string_lossy())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
