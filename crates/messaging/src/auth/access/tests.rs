use std::collections::BTreeSet;

use super::*;

const DOCUMENT: &str = include_str!("../../../../../docs/access.md");
const MANIFEST: &str = include_str!("../../../../../spin.toml");

fn manifest() -> toml::Table {
    MANIFEST.parse().unwrap()
}

/// The HTTP routes of spin.toml, each with its component.
fn routes(manifest: &toml::Table) -> Vec<(&str, &str)> {
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    triggers
        .iter()
        .map(|trigger| {
            (
                trigger["route"].as_str().unwrap(),
                trigger["component"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn every_route_is_in_the_table() {
    let manifest = manifest();
    let known: BTreeSet<_> = TABLE.iter().map(|rule| rule.route).collect();
    for (route, component) in routes(&manifest) {
        assert!(
            known.contains(route),
            "{route} of {component} is not in the access table"
        );
    }
}

#[test]
fn a_component_that_identifies_callers_has_the_settings_for_it() {
    const SETTINGS: [&str; 6] = [
        "auth_mode",
        "jwt_secret",
        "jwt_jwks",
        "jwt_issuer",
        "jwt_audience",
        "rate_limit",
    ];
    let manifest = manifest();
    let identifies = |route: &str| {
        TABLE
            .iter()
            .any(|r| r.route == route && r.who != Who::Anybody)
    };
    for (route, component) in routes(&manifest) {
        let variables = manifest["component"][component].get("variables");
        for setting in SETTINGS {
            let given = variables.and_then(|all| all.get(setting)).is_some();
            assert!(given || !identifies(route), "{component} lacks {setting}");
        }
    }
}

#[test]
fn no_route_and_method_has_two_rules() {
    let lines: BTreeSet<_> = TABLE.iter().map(|rule| (rule.route, rule.method)).collect();
    assert_eq!(lines.len(), TABLE.len());
}

#[test]
fn what_the_table_does_not_know_is_closed() {
    assert_eq!(gate("/api/v1/new", "GET"), None);
    let identified = Some(Gate::Identified { ticket: false });
    assert_eq!(gate("/api/v1/messages", "PUT"), identified);
    let events = "/api/v1/messages/users/:userId/events";
    assert_eq!(gate(events, "GET"), Some(Gate::Identified { ticket: true }));
    assert_eq!(gate(events, "POST"), identified);
    assert_eq!(gate("/api/v1/health/live", "POST"), Some(Gate::Anybody));
}

#[test]
fn the_document_shows_the_table() {
    let mut expected = String::from("| route | method | who |\n| --- | --- | --- |\n");
    for rule in TABLE {
        let ticket = if rule.ticket { "; also by ticket" } else { "" };
        let Rule {
            route, method, who, ..
        } = rule;
        expected.push_str(&format!("| `{route}` | {method} | {who}{ticket} |\n"));
    }
    assert!(
        DOCUMENT.contains(&expected),
        "docs/access.md should have this table:\n\n{expected}"
    );
}
