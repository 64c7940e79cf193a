//! The log: one line on standard error, which every host collects.
//!
//! Message contents, tokens and connection strings never get here; what a
//! store reports is passed through [`redact`] first.

/// Writes one line with a level.
#[macro_export]
macro_rules! log_line {
    ($level:literal, $($arg:tt)*) => {
        eprintln!(concat!($level, " {}"), format_args!($($arg)*))
    };
}

/// A store's error text without what could be a secret: anything that looks
/// like a URL is cut to its scheme, and only the first line is kept.
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
