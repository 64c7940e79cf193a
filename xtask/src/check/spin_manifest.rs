//! spin.toml, as far as other files have to agree with it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::workspace;

/// Variables that no deployment sets.
const FOR_TESTS: [&str; 2] = ["relay_stop_after", "notifier_stop_after"];

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
    /// The manifest of the app.
    pub fn read() -> Result<Self> {
        let text = std::fs::read_to_string(workspace::root().join("spin.toml"));
        Self::parse(&text.context("cannot read spin.toml")?)
    }

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

    /// The ids of all components.
    pub fn components(&self) -> BTreeSet<String> {
        let components = self.table.get("component").and_then(Value::as_table);
        components
            .into_iter()
            .flat_map(Table::keys)
            .cloned()
            .collect()
    }

    /// The file of a component.
    pub fn source(&self, id: &str) -> Option<&str> {
        self.component(id)?.get("source")?.as_str()
    }

    /// The components that triggers refer to.
    pub fn triggered(&self) -> BTreeSet<String> {
        ids(self.all_triggers())
    }

    /// The components that triggers of a kind refer to.
    pub fn triggered_by(&self, kind: &str) -> BTreeSet<String> {
        ids(self.triggers(kind))
    }

    /// The variables that components and their triggers refer to.
    pub fn variables_of(&self, components: &BTreeSet<String>) -> BTreeSet<String> {
        let tables = components.iter().filter_map(|id| self.component(id));
        let triggers = self
            .all_triggers()
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

    fn all_triggers(&self) -> impl Iterator<Item = &Value> {
        let kinds = self.table.get("trigger").and_then(Value::as_table);
        let kinds = kinds.into_iter().flat_map(Table::values);
        kinds.filter_map(Value::as_array).flatten()
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

fn ids<'a>(triggers: impl Iterator<Item = &'a Value>) -> BTreeSet<String> {
    triggers.filter_map(component).map(str::to_string).collect()
}

fn component(trigger: &Value) -> Option<&str> {
    trigger.get("component")?.as_str()
}
