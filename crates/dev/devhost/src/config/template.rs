//! Spin's template expressions: text with `{{ variable }}` in it.

use anyhow::{Context, Result};

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Parses `text`; braces that are never closed are an error.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, opened)) = rest.split_once("{{") {
            let (name, after) = opened
                .split_once("}}")
                .with_context(|| format!("`{text}` has a '{{{{' without its '}}}}'"))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Variable(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Whether the text refers to no variable.
    pub fn is_literal(&self) -> bool {
        self.parts
            .iter()
            .all(|part| matches!(part, Part::Literal(_)))
    }

    /// Replaces each variable by the value that `lookup` returns for its name.
    pub fn resolve<'v>(&self, lookup: impl Fn(&str) -> Result<&'v str>) -> Result<String> {
        let mut resolved = String::new();
        for part in &self.parts {
            resolved.push_str(match part {
                Part::Literal(text) => text,
                Part::Variable(name) => lookup(name)?,
            });
        }
        Ok(resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Result<&'static str> {
        match name {
            "host" => Ok("db:5432"),
            "empty" => Ok(""),
            _ => anyhow::bail!("unknown variable `{name}`"),
        }
    }

    #[test]
    fn text_and_variables_are_joined() {
        for (text, expected) in [
            ("", ""),
            ("plain }} text", "plain }} text"),
            ("postgres://{{ host }}", "postgres://db:5432"),
            ("{{host}}/{{ empty }}/{{ host }}", "db:5432//db:5432"),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.resolve(lookup).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn unknown_variables_and_open_braces_are_errors() {
        assert!(Template::parse("{{ host }} {{ open").is_err());
        assert!(
            Template::parse("{{ missing }}")
                .unwrap()
                .resolve(lookup)
                .is_err()
        );
    }
}
