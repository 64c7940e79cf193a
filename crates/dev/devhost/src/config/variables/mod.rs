//! The values of the manifest's variables.
//!
//! The first of these that exists is taken: `--variable`, the environment's
//! `SPIN_VARIABLE_<NAME>`, its plain `<NAME>`, what follows from another
//! variable, the default. Spin has neither the plain names nor derived values,
//! nor has devhost with `--strict`.
//!
//! # Layout
//!
//! * `derived`: `redis_host`, `redis_database` and `database_host`, from the URLs

mod derived;

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result, ensure};

use super::{
    identifier::VariableName,
    manifest::{Manifest, variable::Variable},
    template::Template,
};

/// Every application variable with its value.
///
/// Its `Debug` shows names only: any value may be a secret.
#[derive(Clone, Default)]
pub struct Variables {
    values: Values,
}

/// The sources of values other than the manifest's defaults.
pub struct Sources<'s, E> {
    /// The names and values of `--variable`.
    pub given: &'s [(String, String)],
    /// Looks a name up in the environment.
    pub env: E,
    /// Whether plain names and derived values count.
    pub plain_names: bool,
}

type Values = BTreeMap<String, String>;

type Declared = BTreeMap<VariableName, Variable>;

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Variables {
    /// Finds a value for every variable that `manifest` declares. The error
    /// names every variable that has no value.
    pub fn resolve<E>(manifest: &Manifest, sources: &Sources<'_, E>) -> Result<Self>
    where
        E: Fn(&str) -> Option<String>,
    {
        let declared = &manifest.variables;
        let mut values = given_values(declared, sources.given)?;
        for name in declared.keys().map(VariableName::as_str) {
            if !values.contains_key(name)
                && let Some(value) = sources.environment_value(name)
            {
                values.insert(name.to_owned(), value);
            }
        }
        if sources.plain_names {
            derived::insert(declared, &mut values)?;
        }
        let missing = insert_defaults(declared, &mut values);
        let hints: Vec<_> = missing.iter().map(|name| sources.hint(name)).collect();
        ensure!(
            hints.is_empty(),
            "these variables have no value: {}",
            hints.join(", ")
        );
        Ok(Self { values })
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Replaces the expressions in `text` by their values.
    pub fn expand(&self, text: &str) -> Result<String> {
        Template::parse(text)?.resolve(|name| {
            self.get(name)
                .with_context(|| format!("`{text}` names `{name}`, which is not under [variables]"))
        })
    }

    /// Expands all values of a component's `variables` table.
    pub fn expand_all(&self, table: &BTreeMap<VariableName, String>) -> Result<Values> {
        let expand = |(name, text): (&VariableName, &String)| {
            Ok((name.as_str().to_owned(), self.expand(text)?))
        };
        table.iter().map(expand).collect()
    }
}

fn given_values(declared: &Declared, given: &[(String, String)]) -> Result<Values> {
    for (name, _) in given {
        ensure!(
            declared.contains_key(name.as_str()),
            "there is no variable `{name}` in the manifest"
        );
    }
    Ok(given.iter().cloned().collect())
}

/// Inserts the defaults; returns the names of the variables without one.
fn insert_defaults(declared: &Declared, values: &mut Values) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, variable) in declared {
        let name = name.as_str();
        match &variable.default {
            _ if values.contains_key(name) => {}
            Some(default) => drop(values.insert(name.to_owned(), default.clone())),
            None => missing.push(name.to_owned()),
        }
    }
    missing
}

impl<E: Fn(&str) -> Option<String>> Sources<'_, E> {
    fn environment_value(&self, name: &str) -> Option<String> {
        let upper = name.to_ascii_uppercase();
        let prefixed = (self.env)(&format!("SPIN_VARIABLE_{upper}"));
        let plain = || self.plain_names.then(|| (self.env)(&upper)).flatten();
        prefixed.or_else(plain)
    }

    /// The ways to set a variable.
    fn hint(&self, name: &str) -> String {
        let upper = name.to_ascii_uppercase();
        let plain = if self.plain_names {
            format!("{upper}, ")
        } else {
            String::new()
        };
        format!("`{name}` (set {plain}SPIN_VARIABLE_{upper} or --variable {name}=…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(variables: &str) -> Manifest {
        Manifest::parse(&format!(
            "spin_manifest_version = 2\napplication.name = 'app'\n[trigger]\n[variables]\n{variables}"
        ))
        .unwrap()
    }

    fn resolve_from(env: &[(&str, &str)], plain_names: bool, variables: &str) -> Result<Variables> {
        let env = |name: &str| {
            let found = env.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let sources = Sources {
            given: &[],
            env,
            plain_names,
        };
        Variables::resolve(&manifest(variables), &sources)
    }

    fn resolve(variables: &str, env: &[(&str, &str)]) -> Result<Variables> {
        resolve_from(env, true, variables)
    }

    #[test]
    fn spins_environment_takes_precedence_over_plain_names_and_defaults() {
        let declared = "typing_ttl = { default = '10' }";
        let value = |env: &[(&str, &str)]| {
            let variables = resolve(declared, env).unwrap();
            variables.get("typing_ttl").map(str::to_owned)
        };
        assert_eq!(value(&[]).as_deref(), Some("10"));
        assert_eq!(value(&[("TYPING_TTL", "20")]).as_deref(), Some("20"));
        let both = [("TYPING_TTL", "20"), ("SPIN_VARIABLE_TYPING_TTL", "30")];
        assert_eq!(value(&both).as_deref(), Some("30"));
    }

    #[test]
    fn plain_names_can_be_left_out() {
        let env = [("TYPING_TTL", "20"), ("REDIS_URL", "redis://h")];
        let variables = resolve_from(&env, false, "typing_ttl.default = '10'").unwrap();
        assert_eq!(variables.get("typing_ttl"), Some("10"));
        let error = resolve_from(&env, false, "redis_url.required = true").unwrap_err();
        assert!(
            error.to_string().contains("(set SPIN_VARIABLE_REDIS_URL"),
            "{error}"
        );
    }

    #[test]
    fn given_values_take_precedence_and_must_be_declared() {
        let manifest = manifest("a = { default = '1' }");
        let resolve = |name: &str| {
            let sources = Sources {
                given: &[(name.to_owned(), "2".to_owned())],
                env: |_: &str| Some("3".to_owned()),
                plain_names: true,
            };
            Variables::resolve(&manifest, &sources)
        };
        assert_eq!(resolve("a").unwrap().get("a"), Some("2"));
        assert!(resolve("b").is_err());
    }

    #[test]
    fn hosts_follow_from_the_urls() {
        let declared = "redis_url.required = true\nredis_host.required = true\n\
                        database_url.required = true\ndatabase_host.required = true";
        let env = [
            ("REDIS_URL", "rediss://:secret@cache.example"),
            (
                "DATABASE_URL",
                "postgres://u:p@[::1]:5433/db?sslmode=disable",
            ),
        ];
        let variables = resolve(declared, &env).unwrap();
        assert_eq!(variables.get("redis_host"), Some("cache.example:6379"));
        assert_eq!(variables.get("database_host"), Some("[::1]:5433"));
    }

    #[test]
    fn the_database_of_redis_follows_from_the_url() {
        let declared = "redis_url.required = true\nredis_database.default = '0'";
        let database = |env: &[(&str, &str)]| {
            let variables = resolve(declared, env).unwrap();
            variables.get("redis_database").map(str::to_owned)
        };
        for (url, expected) in [
            ("redis://:se/cret@cache/3", "3"),
            ("redis://cache/3?protocol=resp3", "3"),
            ("redis://cache", "0"),
            ("redis://cache/", "0"),
            ("redis://cache/x", "0"),
        ] {
            let found = database(&[("REDIS_URL", url)]);
            assert_eq!(found.as_deref(), Some(expected), "{url}");
        }
        let given = [("REDIS_URL", "redis://cache/3"), ("REDIS_DATABASE", "4")];
        assert_eq!(database(&given).as_deref(), Some("4"));
    }

    #[test]
    fn a_missing_value_is_named_with_the_way_to_set_it() {
        let error = resolve("redis_url = { required = true, secret = true }", &[]).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("`redis_url`") && message.contains("set REDIS_URL"),
            "{message}"
        );
    }

    #[test]
    fn values_are_not_in_the_debug_form() {
        let variables =
            resolve("k = { required = true, secret = true }", &[("K", "hidden")]).unwrap();
        assert_eq!(format!("{variables:?}"), r#"{"k"}"#);
    }

    #[test]
    fn expressions_may_name_declared_variables_only() {
        let variables = resolve("k.default = 'v'", &[]).unwrap();
        assert_eq!(variables.expand("a-{{ k }}").unwrap(), "a-v");
        assert!(variables.expand("{{ other }}").is_err());
    }
}
