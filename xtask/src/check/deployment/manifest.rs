//! spin.toml, as far as a deployment has to agree with it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use toml::{Table, Value};

/// Variables that no deployment sets.
const FOR_TESTS: [&str; 1] = ["relay_stop_after"];

pub struct Manifest {
    table: Table,
    pub variables: BTreeMap<String, Variable>,
}

pub struct Variable {
    /// None if it has to be set.
    pub default: Option<String>,
    pub is_secret: bool,
}

impl Manifest {
    pub fn parse(text: &str) -> Result<Self> {
        let table: Table = text.parse().context("spin.toml is not TOML")?;
        let declared = table.get("variables").and_then(Value::as_table);
        let variables = declared
            .into_iter()
            .flatten()
            .filter(|(name, _)| !FOR_TESTS.contains(&name.as_str()))
            .map(|(name, definition)| (name.clone(), Variable::new(definition)))
            .collect();
        Ok(Self { table, variables })
    }

    /// The names of all variables, as a deployment sets them.
    pub fn names(&self) -> BTreeSet<String> {
        self.variables.keys().cloned().collect()
    }

    /// The default of a variable. None if it has none, or if there is no such variable.
    pub fn default_of(&self, variable: &str) -> Option<&str> {
        self.variables.get(variable)?.default.as_deref()
    }

    /// The components that triggers of a kind refer to.
    pub fn triggered_by(&self, kind: &str) -> BTreeSet<String> {
        self.triggers(kind)
            .filter_map(component)
            .map(str::to_string)
            .collect()
    }

    /// The variables that components and their triggers refer to.
    pub fn variables_of(&self, components: &BTreeSet<String>) -> BTreeSet<String> {
        let tables = components.iter().filter_map(|id| self.component(id));
        let triggers = ["http", "redis"]
            .into_iter()
            .flat_map(|kind| self.triggers(kind))
            .filter(|trigger| component(trigger).is_some_and(|id| components.contains(id)));
        let text: String = tables.chain(triggers).map(Value::to_string).collect();
        let referenced = text
            .split("{{")
            .skip(1)
            .filter_map(|rest| rest.split("}}").next());
        referenced
            .map(|name| name.trim().to_string())
            .filter(|name| self.variables.contains_key(name))
            .collect()
    }

    /// Whether a component among these answers this very path.
    pub fn has_route(&self, components: &BTreeSet<String>, path: &str) -> bool {
        self.triggers("http").any(|trigger| {
            trigger.get("route").and_then(Value::as_str) == Some(path)
                && component(trigger).is_some_and(|id| components.contains(id))
        })
    }

    /// Whether a component may connect to PostgreSQL.
    pub fn uses_postgres(&self, id: &str) -> bool {
        self.component(id)
            .and_then(|component| component.get("allowed_outbound_hosts"))
            .is_some_and(|hosts| hosts.to_string().contains("postgres://"))
    }

    fn component(&self, id: &str) -> Option<&Value> {
        self.table.get("component")?.get(id)
    }

    fn triggers(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let triggers = self.table.get("trigger").and_then(|all| all.get(kind));
        triggers.and_then(Value::as_array).into_iter().flatten()
    }
}

impl Variable {
    fn new(definition: &Value) -> Self {
        let text = |key| definition.get(key).and_then(Value::as_str);
        let flag = |key| definition.get(key).and_then(Value::as_bool);
        Self {
            default: text("default").map(str::to_string),
            is_secret: flag("secret").unwrap_or(false),
        }
    }
}

fn component(trigger: &Value) -> Option<&str> {
    trigger.get("component")?.as_str()
}
