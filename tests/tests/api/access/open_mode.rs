//! `auth_mode=open` is for the machine on which the service runs.

use reqwest::Method;
use testkit::{app, send, unique_user};

const PATH: &str = "/api/v1/messages/users/online";

#[tokio::test]
async fn a_host_that_is_not_a_loopback_address_is_refused() {
    let app = app().await;
    for host in [
        "chat.example",
        "chat.example:3001",
        "localhost.example",
        "10.0.0.1",
        "0.0.0.0:3001",
        "127.0.0.1.example",
    ] {
        let request = app.request(Method::GET, PATH).header("host", host);
        let refused = send(request).await.expect_status(403);
        let detail = refused.json()["detail"].to_string();
        assert!(detail.contains("auth_mode is open"), "{host}: {detail}");
    }
    for host in ["localhost", "127.0.0.1:3001", "127.9.9.9", "[::1]:3001"] {
        let request = app.request(Method::GET, PATH).header("host", host);
        send(request).await.expect_status(200);
    }
}

#[tokio::test]
async fn a_client_behind_a_proxy_is_not_on_this_machine() {
    let app = app().await;
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-for", "203.0.113.9, 127.0.0.1"),
        ("forwarded", "for=203.0.113.9"),
    ] {
        let request = app.request(Method::GET, PATH).header(name, value);
        send(request).await.expect_status(403);
    }
    let request = app.request(Method::GET, PATH);
    let request = request.header("x-forwarded-for", "127.0.0.1");
    send(request).await.expect_status(200);
}

#[tokio::test]
async fn a_client_cannot_claim_an_address_and_writes_nothing() {
    let app = app().await;
    let user = unique_user();
    let body = serde_json::json!({"participantIds": [user]});
    let request = app.request(Method::POST, "/api/v1/conversations");
    let request = request
        .header("host", "chat.example")
        .header("spin-client-addr", "127.0.0.1:1")
        .header("spin-full-url", "http://localhost/");
    send(request.json(&body)).await.expect_status(403);
    let list = format!("/api/v1/conversations?userId={user}");
    let list = app.get(&list).await.expect_status(200).json();
    assert_eq!(list, serde_json::json!([]));
}

#[tokio::test]
async fn public_routes_are_answered_for_any_host() {
    let app = app().await;
    let request = app.request(Method::GET, "/api/v1/health/live");
    let request = request.header("host", "chat.example");
    send(request).await.expect_status(200);
}
