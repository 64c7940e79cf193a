//! Components that are written inside of a trigger.
//!
//! They get the ids that Spin generates, which appear in the log.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{component::Component, trigger::Triggers};
use crate::config::identifier::ComponentId;

type Components = BTreeMap<ComponentId, Component>;

/// The component of a trigger: an id, or the component itself.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a component is the id of a [component] table, or such a table"
)]
pub enum ComponentSpec {
    /// The id of a component.
    Id(ComponentId),
    /// A component.
    Inline(Box<Component>),
}

/// Moves inline components to `components`, and replaces them by their ids.
pub fn resolve(triggers: Triggers<ComponentSpec>, components: &mut Components) -> Triggers {
    let mut used: BTreeSet<String> = triggers.ids().map(str::to_owned).collect();
    triggers.map_components(|kind, trigger_id, spec| match spec {
        ComponentSpec::Id(id) => id,
        ComponentSpec::Inline(component) => {
            let generated = || generated_trigger_id(kind, &mut used);
            let id = unused_id(
                &trigger_id.map_or_else(generated, str::to_owned),
                components,
            );
            components.insert(id.clone(), *component);
            id
        }
    })
}

fn generated_trigger_id(kind: &str, used: &mut BTreeSet<String>) -> String {
    let mut number = 1;
    loop {
        let id = format!("{kind}-trigger{number}");
        if used.insert(id.clone()) {
            return id;
        }
        number += 1;
    }
}

/// `<trigger>-component`, or a numbered id if that is used or no identifier.
fn unused_id(trigger_id: &str, components: &Components) -> ComponentId {
    let is_unused = |id: &ComponentId| !components.contains_key(id);
    let by_trigger = ComponentId::try_from(format!("{trigger_id}-component"));
    if let Some(id) = by_trigger.ok().filter(is_unused) {
        return id;
    }
    let mut number = 1;
    while !is_unused(&ComponentId::inline(number)) {
        number += 1;
    }
    ComponentId::inline(number)
}

#[cfg(test)]
mod tests {
    use crate::config::manifest::Manifest;

    #[test]
    fn inline_components_get_the_ids_that_spin_generates() {
        let manifest = Manifest::parse(
            r#"
            spin_manifest_version = 2
            application.name = "app"
            [trigger]
            http = [
                { route = "/a", component = { source = "a.wasm" } },
                { route = "/b", component = { source = "b.wasm" } },
                { id = "named", route = "/c", component = { source = "c.wasm" } },
                { id = "Not An Id", route = "/d", component = { source = "d.wasm" } },
            ]
            "#,
        )
        .unwrap();
        let ids: Vec<_> = manifest
            .triggers
            .components()
            .map(|id| id.as_str())
            .collect();
        assert_eq!(
            ids,
            [
                "http-trigger1-component",
                "http-trigger2-component",
                "named-component",
                "inline-component1",
            ]
        );
        assert_eq!(manifest.components.len(), 4);
    }
}
