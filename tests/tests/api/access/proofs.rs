//! Invalid credentials are rejected on every route.

use messaging::api::{Access, Route};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Response, send, unique_user};
use tests::routes;
use tests::token::{self, SECRET, bearer, claims, now};

use super::world::{World, app};

/// Invalid values of `Authorization`, each with a description.
fn worthless(user: i64) -> Vec<(&'static str, Option<String>)> {
    let with = |name: &str, value: Value| {
        let mut claims = claims(user);
        claims[name] = value;
        Some(bearer(&claims))
    };
    let forged = jwt_signer::hs256(b"a secret that this app does not have", &claims(user));
    let unsigned = jwt_signer::forge(&json!({"alg": "none"}), &claims(user), |_| vec![]);
    let good = token::user(user);
    vec![
        ("nothing", None),
        ("an empty token", Some("Bearer ".into())),
        ("another scheme", Some("Basic dXNlcjpwYXNz".into())),
        ("no token at all", Some("Bearer x.y.z".into())),
        ("an expired token", with("exp", (now() - 60).into())),
        ("a token of tomorrow", with("nbf", (now() + 86_400).into())),
        ("a token of another audience", with("aud", "billing".into())),
        ("a token without an audience", with("aud", Value::Null)),
        (
            "a token of another issuer",
            with("iss", "https://other.test".into()),
        ),
        ("a token of no user", with("sub", "root".into())),
        ("a forged token", Some(format!("Bearer {forged}"))),
        ("an unsigned token", Some(format!("Bearer {unsigned}"))),
        ("a cut token", Some(good[..good.len() - 4].into())),
    ]
}

/// Whether a route is for callers with a token; the proxy of a gateway proves itself by its signature.
fn asks_for_a_token(rule: &&Route) -> bool {
    !matches!(rule.access, Access::Public | Access::Proxy)
}

#[tokio::test]
async fn every_route_rejects_invalid_credentials() {
    let app = app().await;
    let world = World::new(app).await;
    for rule in routes::api().filter(asks_for_a_token) {
        for (what, authorization) in worthless(world.owner) {
            let mut request = world.request(app, rule, world.owner);
            if let Some(value) = &authorization {
                request = request.header("authorization", value);
            }
            let answer = send(request).await;
            let place = format!("{} {} with {what}", rule.method, rule.path);
            assert_refused(&answer, &place);
        }
    }
}

fn assert_refused(answer: &Response, place: &str) {
    assert_eq!(answer.status(), 401, "{place}: {answer}");
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(
        challenge.starts_with("Bearer realm="),
        "{place}: {challenge}"
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    // The reason of a rejection would only help an attacker.
    for word in ["expired", "signature", "audience", "issuer", "kid"] {
        assert!(!answer.text().contains(word), "{place}: {answer}");
    }
}

#[tokio::test]
async fn the_challenge_distinguishes_a_missing_token_from_an_invalid_one() {
    let app = app().await;
    let path = "/api/v1/health";
    let challenge = async |authorization: Option<&str>| {
        let mut request = app.request(Method::GET, path);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let answer = send(request).await.expect_status(401);
        answer.header("www-authenticate").map(str::to_owned)
    };
    let plain = r#"Bearer realm="messaging""#;
    assert_eq!(challenge(None).await.as_deref(), Some(plain));
    let refused = format!("{plain}, error=\"invalid_token\"");
    assert_eq!(challenge(Some("Bearer x")).await, Some(refused));
}

#[tokio::test]
async fn a_client_cannot_choose_its_route_or_its_path() {
    let app = app().await;
    let world = World::new(app).await;
    let path = format!("/api/v1/conversations/{}", world.conversation);
    let open = app
        .request(Method::GET, &path)
        .header("spin-matched-route", "/api/v1/health/live");
    send(open).await.expect_status(401);
    let others = World::new(app).await;
    let request = app
        .request(Method::GET, &path)
        .header("authorization", token::user(world.owner))
        .header("spin-path-match-id", others.conversation.to_string());
    let answer = send(request).await.expect_status(200);
    assert_eq!(answer.json()["id"], world.conversation);
}

#[tokio::test]
async fn without_keys_everything_is_rejected_and_the_log_says_why() {
    let app = testkit::App::builder()
        .variable("auth_mode", "jwt")
        .spawn()
        .await;
    let world = World {
        webhook: 1,
        conversation: 1,
        message: 1,
        session: 1,
        hold: 1,
        owner: unique_user(),
        other: unique_user(),
        outsider: unique_user(),
    };
    let empty = format!("Bearer {}", jwt_signer::hs256(b"", &claims(world.owner)));
    for rule in routes::api().filter(asks_for_a_token) {
        for authorization in [token::user(world.owner), empty.clone()] {
            let request = world.request(&app, rule, world.owner);
            let answer = send(request.header("authorization", authorization)).await;
            assert_eq!(answer.status(), 401, "{} {}", rule.method, rule.path);
        }
    }
    app.get("/api/v1/health/live").await.expect_status(200);
    assert!(app.log().contains("set jwt_secret"), "{}", app.log());
    assert!(!app.log().contains(SECRET));
}
