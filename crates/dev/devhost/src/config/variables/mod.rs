//! The values of the manifest's variables.
//!
//! The first of these that exists is taken: `--variable`, the environment's
//! `SPIN_VARIABLE_<NAME>`, its plain `<NAME>`, the host that another variable
//! holds, the default. Spin has neither the plain names nor the derived hosts.
//!
//! # Layout
//!
//! * `derived`: `redis_host` and `database_host`, from the URLs

mod derived;

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result, bail, ensure};

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

type Values = BTreeMap<String, String>;

type Declared = BTreeMap<VariableName, Variable>;

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Variables {
    /// Finds a value for every variable that `manifest` declares.
    ///
    /// `given` are the values of `--variable`, `env` looks a name up in the
    /// environment. The error names every variable that has no value.
    pub fn resolve(
        manifest: &Manifest,
        given: &[(String, String)],
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let declared = &manifest.variables;
        let mut values = given_values(declared, given)?;
        for name in declared.keys().map(VariableName::as_str) {
            if !values.contains_key(name)
                && let Some(value) = from_environment(name, &env)
            {
                values.insert(name.to_owned(), value);
            }
        }
        derived::insert_hosts(declared, &mut values);
        insert_defaults(declared, &mut values)?;
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

fn from_environment(name: &str, env: impl Fn(&str) -> Option<String>) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    env(&format!("SPIN_VARIABLE_{upper}")).or_else(|| env(&upper))
}

fn insert_defaults(declared: &Declared, values: &mut Values) -> Result<()> {
    let mut missing = Vec::new();
    for (name, variable) in declared {
        match &variable.default {
            _ if values.contains_key(name.as_str()) => {}
            Some(default) => drop(values.insert(name.as_str().to_owned(), default.clone())),
            None => missing.push(ways_to_set(name.as_str())),
        }
    }
    if !missing.is_empty() {
        bail!("these variables have no value: {}", missing.join(", "));
    }
    Ok(())
}

fn ways_to_set(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    format!("`{name}` (set {upper}, SPIN_VARIABLE_{upper} or --variable {name}=…)")
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

    fn resolve(variables: &str, env: &[(&str, &str)]) -> Result<Variables> {
        Variables::resolve(&manifest(variables), &[], |name| {
            env.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn spins_environment_wins_over_plain_names_and_defaults() {
        let declared = "typing_ttl = { default = '10' }";
        let value = |env: &[(&str, &str)]| {
            resolve(declared, env)
                .unwrap()
                .get("typing_ttl")
                .map(str::to_owned)
        };
        assert_eq!(value(&[]).as_deref(), Some("10"));
        assert_eq!(value(&[("TYPING_TTL", "20")]).as_deref(), Some("20"));
        let both = [("TYPING_TTL", "20"), ("SPIN_VARIABLE_TYPING_TTL", "30")];
        assert_eq!(value(&both).as_deref(), Some("30"));
    }

    #[test]
    fn given_values_win_and_must_be_declared() {
        let manifest = manifest("a = { default = '1' }");
        let given = |name: &str| vec![(name.to_owned(), "2".to_owned())];
        let variables = Variables::resolve(&manifest, &given("a"), |_| Some("3".into())).unwrap();
        assert_eq!(variables.get("a"), Some("2"));
        assert!(Variables::resolve(&manifest, &given("b"), |_| None).is_err());
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
