//! `env`: the running instance's addresses, for a shell.

use anyhow::Result;
use clap::Args;

use crate::instance;

/// Print REDIS_URL and DATABASE_URL of the running instance: eval "$(cargo xtask env)".
#[derive(Args)]
pub struct Arguments {}

pub fn run() -> Result<()> {
    let urls = instance::running()?;
    println!("REDIS_URL={}", quoted(&urls.redis));
    println!("DATABASE_URL={}", quoted(&urls.database));
    println!("export REDIS_URL DATABASE_URL");
    Ok(())
}

/// The value as a shell reads it back, in quotes where it holds more than plain characters.
fn quoted(value: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || ":/@._-%+,".contains(character);
    if value.chars().all(plain) {
        value.into()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for value in [
            "redis://:secret@127.0.0.1:7000",
            "postgres://u:p@h/d?sslmode=require&x=$(id)",
            "it's `this`",
        ] {
            let script = format!("printf %s {}", quoted(value));
            let shell = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(shell.stdout).unwrap(), value);
        }
    }
}
