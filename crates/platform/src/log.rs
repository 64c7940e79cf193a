//! The log: one line on standard error, which every host collects, by the `log` facade.
//!
//! Message contents, tokens and connection strings never get here; what a store reports is passed
//! through [`redact`] first.

use std::sync::Once;

use log::{LevelFilter, Log, Metadata, Record};

/// Writes `LEVEL message`.
struct StandardError;

impl Log for StandardError {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        eprintln!("{} {}", record.level(), record.args());
    }

    fn flush(&self) {}
}

/// Sends the log of this instance to standard error.
pub fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        // It fails only where another logger is set, which then gets the lines.
        let _ = log::set_logger(&StandardError);
        log::set_max_level(LevelFilter::Debug);
    });
}

/// A store's error text without what could be a secret: anything that looks like a URL is cut to
/// its scheme, and only the first line is kept.
#[must_use]
pub fn redact(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.split(' ')
        .map(|word| match word.find("://") {
            Some(at) => format!("{}://…", &word[..at].trim_start_matches(['"', '\'', '('])),
            None => word.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn a_url_in_an_error_loses_its_secrets() {
        let text = r#"cannot connect to "redis://:s3cret@host:6379/0": refused"#;
        assert_eq!(redact(text), "cannot connect to redis://… refused");
        assert!(!redact("x\npassword").contains("password"));
    }
}
