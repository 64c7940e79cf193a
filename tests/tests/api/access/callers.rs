//! What each caller may do, route by route, by the access of each route.

use std::collections::BTreeMap;

use messaging::api::{Access, Route};
use reqwest::Method;
use testkit::{App, send};
use tests::{routes, token};

use super::world::{World, app};

/// Sends without waiting for the end of the answer, which an event stream has not.
async fn status(app: &App, world: &World, rule: &Route, token: &str, named: i64) -> u16 {
    let request = world.request(app, rule, named);
    let answer = request.header("authorization", token).send().await;
    answer.expect("an answer").status().as_u16()
}

/// Which callers must be refused: the caller, the user that the request names, and the status.
fn refused(world: &World, access: Access) -> Vec<(i64, i64, u16)> {
    let World {
        owner,
        other,
        outsider,
        ..
    } = *world;
    match access {
        Access::Public | Access::Identified => vec![],
        Access::Oneself => vec![(outsider, owner, 403), (other, owner, 403)],
        Access::Participant | Access::ParticipantOrRecords => vec![(outsider, outsider, 404)],
        Access::ParticipantOneself => vec![(outsider, outsider, 404), (other, owner, 403)],
        Access::Sender => vec![(outsider, outsider, 404), (other, other, 403)],
        Access::Service | Access::Records | Access::Metrics => {
            vec![(owner, owner, 403), (outsider, outsider, 403)]
        }
        // Without a gateway there is no such route; `gateway` tests it with one.
        Access::Proxy => vec![(owner, owner, 404), (outsider, outsider, 404)],
    }
}

#[tokio::test]
async fn a_caller_without_access_is_refused() {
    let app = app().await;
    for rule in routes::api() {
        let world = World::new(app).await;
        for (caller, named, expected) in refused(&world, rule.access) {
            let found = status(app, &world, rule, &token::user(caller), named).await;
            let (method, route, who) = (&rule.method, rule.path, rule.access);
            assert_eq!(found, expected, "{method} {route} is for {who}");
        }
    }
}

/// The owner of a world, a service, or the holder of a scope.
fn who_gets_through(access: Access) -> &'static [&'static str] {
    match access {
        Access::Service => &["service"],
        Access::Records => &["messaging:records"],
        Access::ParticipantOrRecords => &["user", "service", "messaging:records"],
        Access::Metrics => &["service", "messaging:metrics"],
        _ => &["user", "service"],
    }
}

#[tokio::test]
async fn a_caller_with_access_gets_through() {
    let app = app().await;
    // Those need a gateway and an endpoint.
    let with_gateway = |rule: &&Route| {
        rule.access == Access::Proxy
            || ["/socket", "/assistant"]
                .iter()
                .any(|end| rule.path.ends_with(end))
    };
    for rule in routes::api().filter(|rule| !with_gateway(rule)) {
        for &who in who_gets_through(rule.access) {
            let world = World::signed_in(app).await;
            let token = match who {
                "user" => token::user(world.owner),
                "service" => token::service(),
                scope => token::with_scope("an officer", scope),
            };
            let found = status(app, &world, rule, &token, world.owner).await;
            assert!(
                (200..300).contains(&found),
                "{} {}: {found}",
                rule.method,
                rule.path
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

#[tokio::test]
async fn another_method_is_refused_with_those_that_there_are() {
    let app = app().await;
    let world = World::new(app).await;
    let mut known: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
    for route in routes::api() {
        known.entry(route.path).or_default().push(route);
    }
    for (path, routes) in known {
        let other = Route {
            method: Method::TRACE,
            ..routes[0].clone()
        };
        let request = world.request(app, &other, world.owner);
        let closed = send(request.try_clone().expect("no stream")).await;
        let request = request.header("authorization", token::user(world.owner));
        let response = send(request).await.expect_status(405);
        assert_eq!(
            response.header("allow").unwrap_or_default(),
            allow(&routes),
            "{path}"
        );
        let open = routes.iter().any(|route| route.access == Access::Public);
        assert_eq!(closed.status(), if open { 405 } else { 401 }, "{path}");
    }
}

fn allow(routes: &[&Route]) -> String {
    let mut methods = Vec::new();
    for route in routes {
        methods.push(route.method.as_str());
        if route.method == Method::GET {
            methods.push("HEAD");
        }
    }
    methods.push("OPTIONS");
    methods.join(", ")
}
