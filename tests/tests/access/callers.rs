//! What each caller may do, route by route, as the access table says.

use std::collections::BTreeMap;

use messaging::auth::access::{Rule, TABLE, Who};
use reqwest::Method;
use testkit::{App, send, workspace_root};
use tests::token;

use crate::world::{World, app};

/// Sends without waiting for the end of the answer, which an event stream has not.
async fn status(app: &App, world: &World, rule: &Rule, token: &str, named: i64) -> u16 {
    let request = world.request(app, rule, named);
    let answer = request.header("authorization", token).send().await;
    answer.expect("an answer").status().as_u16()
}

/// Who must be refused: the caller, whom the request names, and how.
fn refused(world: &World, who: Who) -> Vec<(i64, i64, u16)> {
    let World {
        owner,
        other,
        outsider,
        ..
    } = *world;
    match who {
        Who::Anybody | Who::Identified => vec![],
        Who::Themselves => vec![(outsider, owner, 403), (other, owner, 403)],
        Who::Participant => vec![(outsider, outsider, 404)],
        Who::ParticipantThemselves => vec![(outsider, outsider, 404), (other, owner, 403)],
        Who::Sender => vec![(outsider, outsider, 404), (other, other, 403)],
        Who::Service => vec![(owner, owner, 403), (outsider, outsider, 403)],
    }
}

#[tokio::test]
async fn nobody_does_what_the_table_keeps_for_others() {
    let app = app().await;
    for rule in TABLE {
        let world = World::new(app).await;
        for (caller, named, expected) in refused(&world, rule.who) {
            let found = status(app, &world, rule, &token::user(caller), named).await;
            let (method, route, who) = (rule.method, rule.route, rule.who);
            assert_eq!(found, expected, "{method} {route} is for {who}");
        }
    }
}

#[tokio::test]
async fn whoever_the_table_names_gets_through() {
    let app = app().await;
    for rule in TABLE.iter().filter(|rule| rule.route != "/...") {
        for token in [Some(token::service()), None] {
            if token.is_none() && rule.who == Who::Service {
                continue;
            }
            let world = World::new(app).await;
            let token = token.unwrap_or_else(|| token::user(world.owner));
            let found = status(app, &world, rule, &token, world.owner).await;
            assert!(
                (200..300).contains(&found),
                "{} {}: {found}",
                rule.method,
                rule.route
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_for_lack_of_the_scope_says_so() {
    let app = app().await;
    let world = World::new(app).await;
    let path = format!(
        "/api/v1/messages/conversations/{}/system-message",
        world.conversation
    );
    let request = app
        .request(Method::POST, &path)
        .header("authorization", token::user(world.owner));
    let answer = send(request).await.expect_status(403);
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(
        challenge.contains(r#"error="insufficient_scope""#),
        "{challenge}"
    );
}

/// The methods of every route of spin.toml, as the app itself names them, are
/// those of the table: a route or method that the table lacks shows here.
#[tokio::test]
async fn the_app_answers_just_the_methods_of_the_table() {
    let app = app().await;
    let world = World::new(app).await;
    let mut known: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in TABLE {
        known.entry(rule.route).or_default().push(rule.method);
    }
    let routes = routes_of_the_manifest();
    for route in known.keys() {
        assert!(
            routes.iter().any(|r| r == route),
            "{route} is not in spin.toml"
        );
    }
    for route in routes.iter().filter(|route| !route.ends_with("...")) {
        let methods = known.get(route.as_str());
        let mut methods = methods
            .cloned()
            .unwrap_or_else(|| panic!("the table lacks {route}"));
        methods.sort_unstable();
        let rule = Rule {
            method: "PUT",
            route: known.get_key_value(route.as_str()).expect("known").0,
            who: Who::Identified,
            ticket: false,
        };
        let request = world.request(app, &rule, world.owner);
        let closed = send(request.try_clone().expect("no stream")).await;
        let request = request.header("authorization", token::user(world.owner));
        let answer = send(request).await.expect_status(405);
        let mut allowed: Vec<_> = answer
            .header("allow")
            .unwrap_or_default()
            .split(", ")
            .collect();
        allowed.sort_unstable();
        assert_eq!(allowed, methods, "{route}");
        let open = TABLE
            .iter()
            .any(|rule| rule.route == route && rule.who == Who::Anybody);
        assert_eq!(closed.status(), if open { 405 } else { 401 }, "{route}");
    }
}

fn routes_of_the_manifest() -> Vec<String> {
    let text = std::fs::read_to_string(workspace_root().join("spin.toml")).expect("spin.toml");
    let routes = text
        .lines()
        .filter_map(|line| line.strip_prefix("route = \""));
    routes
        .map(|route| route.trim_end_matches('"').to_owned())
        .collect()
}
