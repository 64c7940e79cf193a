//! The routes of the components, `spin.toml` and `docs/access.md` agree.

use std::collections::BTreeSet;

use messaging::api::{Access, Route};
use messaging::auth::Cookies;
use tests::routes;

const DOCUMENT: &str = include_str!("../../../docs/access.md");
const MANIFEST: &str = include_str!("../../../spin.toml");

fn manifest() -> toml::Table {
    MANIFEST.parse().expect("TOML")
}

/// The routes of `spin.toml`, each with its component.
fn triggers(manifest: &toml::Table) -> BTreeSet<(&str, &str)> {
    let triggers = manifest["trigger"]["http"].as_array().expect("an array");
    triggers
        .iter()
        .map(|trigger| {
            let text = |name: &str| trigger[name].as_str().expect("text");
            (text("route"), text("component"))
        })
        .collect()
}

#[test]
fn spin_toml_sends_every_route_to_its_component() {
    let manifest = manifest();
    let mut expected: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (component, routes) in routes::COMPONENTS {
        let paths = routes.iter().map(|route| (route.path, component));
        // The page has what no other component has.
        expected.extend(paths.filter(|(_, component)| *component != "web"));
    }
    expected.insert(("/...", "web"));
    assert_eq!(triggers(&manifest), expected);
}

#[test]
fn a_component_that_identifies_callers_has_the_settings_for_it() {
    const SETTINGS: [&str; 7] = [
        "cors_origins",
        "auth_mode",
        "jwt_secret",
        "jwt_jwks",
        "jwt_issuer",
        "jwt_audience",
        "rate_limit",
    ];
    let manifest = manifest();
    for (component, routes) in routes::COMPONENTS {
        if routes.iter().all(|route| route.access == Access::Public) {
            continue;
        }
        for setting in SETTINGS {
            let variables = &manifest["component"][component]["variables"];
            assert!(
                variables.get(setting).is_some(),
                "{component} lacks {setting}"
            );
        }
    }
}

#[test]
fn no_method_and_path_has_two_routes() {
    let all: Vec<&Route> = routes::all().collect();
    let distinct: BTreeSet<_> = all
        .iter()
        .map(|route| (route.path, route.method.as_str()))
        .collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn the_document_shows_who_may_call_what() {
    let mut expected = String::from("| route | method | who |\n| --- | --- | --- |\n");
    for route in routes::all() {
        let Route {
            path,
            method,
            access,
            cookies,
            ..
        } = route;
        let ticket = if route.takes_ticket {
            "; also by ticket"
        } else {
            ""
        };
        let token = match cookies {
            Cookies::Accepted => "",
            Cookies::Ignored => "; only by token",
        };
        expected.push_str(&format!(
            "| `{path}` | {method} | {access}{ticket}{token} |\n"
        ));
    }
    assert!(
        DOCUMENT.contains(&expected),
        "docs/access.md should have this table:\n\n{expected}"
    );
}
