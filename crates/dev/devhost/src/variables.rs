//! Values for the manifest's variables.
//!
//! The order is Spin's, with the plain names of the local runners between its
//! environment and the defaults: `--variable`, then `SPIN_VARIABLE_<NAME>`,
//! then `<NAME>`, then what follows from another variable, then the default.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    manifest::{Manifest, Variable},
    template::Template,
};

/// Every application variable with its value.
///
/// Its `Debug` shows names only: any value may be a secret.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
}

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
        let mut values = BTreeMap::new();
        for (name, value) in given {
            ensure!(
                manifest.variables.contains_key(name),
                "there is no variable `{name}`"
            );
            values.insert(name.clone(), value.clone());
        }
        for name in manifest.variables.keys() {
            check_name(name)?;
            let upper = name.to_ascii_uppercase();
            if !values.contains_key(name)
                && let Some(value) = env(&format!("SPIN_VARIABLE_{upper}")).or_else(|| env(&upper))
            {
                values.insert(name.clone(), value);
            }
        }
        derive(manifest, &mut values, "redis_host", "redis_url", redis_host);
        derive(
            manifest,
            &mut values,
            "redis_database",
            "redis_url",
            redis_database,
        );
        derive(
            manifest,
            &mut values,
            "database_host",
            "database_url",
            database_host,
        );
        fill_defaults(&manifest.variables, &mut values)?;
        Ok(Self { values })
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Fills `text`'s expressions in.
    pub fn expand(&self, text: &str) -> Result<String> {
        Template::parse(text)?.resolve(|name| {
            self.get(name)
                .with_context(|| format!("`{text}` names `{name}`, which is not under [variables]"))
        })
    }

    /// Fills in all values of a component's `variables` table.
    pub fn expand_all(&self, table: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
        table
            .iter()
            .map(|(name, text)| {
                check_name(name)?;
                Ok((name.clone(), self.expand(text)?))
            })
            .collect()
    }
}

/// Spin's rule for names: lower-case words of letters and digits, joined by `_`.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    ensure!(
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('_').all(word),
        "`{name}` is not a variable name: use lower-case letters, digits and single underscores"
    );
    Ok(())
}

fn fill_defaults(
    declared: &BTreeMap<String, Variable>,
    values: &mut BTreeMap<String, String>,
) -> Result<()> {
    let mut missing = Vec::new();
    for (name, variable) in declared {
        if values.contains_key(name) {
            continue;
        }
        match &variable.default {
            Some(default) => drop(values.insert(name.clone(), default.clone())),
            None => missing.push(name.as_str()),
        }
    }
    if !missing.is_empty() {
        let hints: Vec<_> = missing
            .iter()
            .map(|name| {
                let upper = name.to_ascii_uppercase();
                format!("`{name}` (set {upper}, SPIN_VARIABLE_{upper} or --variable {name}=…)")
            })
            .collect();
        bail!("these variables have no value: {}", hints.join(", "));
    }
    Ok(())
}

fn derive(
    manifest: &Manifest,
    values: &mut BTreeMap<String, String>,
    name: &str,
    url: &str,
    parse: impl Fn(&str) -> Option<String>,
) {
    if manifest.variables.contains_key(name)
        && !values.contains_key(name)
        && let Some(value) = values.get(url).and_then(|url| parse(url))
    {
        values.insert(name.to_owned(), value);
    }
}

fn redis_host(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    Some(format!(
        "{}:{}",
        url.host_str()?,
        url.port().unwrap_or(6379)
    ))
}

/// The number in the path, as redis-rs reads it; none in `redis://host` and `redis://host/`.
fn redis_database(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let database: u32 = url.path().strip_prefix('/')?.parse().ok()?;
    Some(database.to_string())
}

/// Asks the driver itself, which knows URLs and `key=value` strings alike.
fn database_host(address: &str) -> Option<String> {
    let config: tokio_postgres::Config = address.parse().ok()?;
    let tokio_postgres::config::Host::Tcp(host) = config.get_hosts().first()? else {
        return None;
    };
    let port = config.get_ports().first().unwrap_or(&5432);
    let is_ipv6 = host.contains(':');
    Some(if is_ipv6 {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(variables: &str) -> Manifest {
        toml::from_str(&format!(
            "spin_manifest_version = 2\napplication.name = 'app'\n[variables]\n{variables}"
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
    fn the_database_of_redis_follows_from_the_url() {
        let declared = "redis_url.required = true\nredis_database.default = '0'";
        let database = |url: &str| {
            let variables = resolve(declared, &[("REDIS_URL", url)]).unwrap();
            variables.get("redis_database").map(str::to_owned)
        };
        assert_eq!(database("redis://:secret@cache/3").as_deref(), Some("3"));
        for url in ["redis://cache", "redis://cache/", "redis://cache/x"] {
            assert_eq!(database(url).as_deref(), Some("0"), "{url}");
        }
        let given = [("REDIS_URL", "redis://cache/3"), ("REDIS_DATABASE", "4")];
        let variables = resolve(declared, &given).unwrap();
        assert_eq!(variables.get("redis_database"), Some("4"));
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
        let variables = resolve("k.secret = true", &[("K", "hidden")]).unwrap();
        assert_eq!(format!("{variables:?}"), r#"{"k"}"#);
    }

    #[test]
    fn expressions_may_name_declared_variables_only() {
        let variables = resolve("k.default = 'v'", &[]).unwrap();
        assert_eq!(variables.expand("a-{{ k }}").unwrap(), "a-v");
        assert!(variables.expand("{{ other }}").is_err());
    }
}
