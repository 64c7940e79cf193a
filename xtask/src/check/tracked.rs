//! Rules for the files that git tracks.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::{cargo, command_names, workspace};

/// A line with both most likely has the address of a registry.
const SIGNS: [&str; 2] = [
    "registry", //
    "://",
];

/// Build results do not belong in the history.
pub fn no_webassembly() -> Result<()> {
    let found: Vec<String> = files()?
        .into_iter()
        .filter(|file| file.ends_with(".wasm"))
        .collect();
    ensure!(found.is_empty(), "remove {}", found.join(", "));
    Ok(())
}

/// The registry or mirror of one machine is not available on others.
pub fn no_registry() -> Result<()> {
    let found = lines_that(names_registry)?;
    ensure!(found.is_empty(), "{}", found.join(", "));
    Ok(())
}

fn names_registry(file: &str, line: &str) -> bool {
    if line.contains("crates.io-index") && file.ends_with("Cargo.lock") {
        return false;
    }
    let cargo_source =
        file.contains(".cargo/") && (line.contains("[source") || line.contains("[registr"));
    cargo_source || SIGNS.iter().all(|sign| line.contains(sign))
}

/// A document that shows `cargo xtask <command>` shows one that exists.
pub fn shown_commands_exist() -> Result<()> {
    let commands = command_names();
    let is_document = |file: &str| [".md", ".ci/run"].iter().any(|end| file.ends_with(end));
    let found = lines_that(|file, line| {
        is_document(file) && shown(line).any(|name| !commands.iter().any(|command| command == name))
    })?;
    ensure!(found.is_empty(), "{}", found.join(", "));
    Ok(())
}

/// The commands in a line.
fn shown(line: &str) -> impl Iterator<Item = &str> {
    let is_name = |character: char| character.is_ascii_lowercase() || character == '-';
    let after = line.split("cargo xtask ").skip(1);
    after
        .map(move |rest| {
            rest.split(|character| !is_name(character))
                .next()
                .unwrap_or_default()
        })
        .filter(|name| !name.is_empty() && !name.starts_with('-'))
}

/// The lines of tracked text files that match, as `file:line`.
fn lines_that(matches: impl Fn(&str, &str) -> bool) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in files()? {
        let Ok(text) = std::fs::read_to_string(workspace::root().join(&file)) else {
            continue;
        };
        let numbered = text
            .lines()
            .enumerate()
            .filter(|(_, line)| matches(&file, line));
        found.extend(numbered.map(|(index, _)| format!("{file}:{}", index + 1)));
    }
    Ok(found)
}

/// The tracked files, and new ones that are not ignored.
fn files() -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(workspace::root()).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    Ok(cargo::output(git)?
        .split('\0')
        .filter(|file| !file.is_empty())
        .map(str::to_string)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::{SIGNS, names_registry, shown};

    #[test]
    fn the_commands_of_a_line_are_found() {
        let names = |line| shown(line).collect::<Vec<_>>();
        assert_eq!(
            names("run `cargo xtask up`, then `cargo xtask test --test posting`"),
            ["up", "test"]
        );
        assert!(names("`cargo xtask --help` explains").is_empty());
    }

    #[test]
    fn only_the_lock_file_names_the_index() {
        let index = SIGNS.join("+https") + "github.com/rust-lang/crates.io-index";
        assert!(!names_registry("Cargo.lock", &index));
        assert!(names_registry("docs/build.md", &index));
        assert!(names_registry(".cargo/config.toml", "[source.crates-io]"));
        assert!(!names_registry("README.md", SIGNS[1]));
    }
}
