//! Limits on requests, and the responses beyond them.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, app, send};
use tests::Room;

use crate::connection::Connection;

#[tokio::test]
async fn a_body_with_a_too_large_content_length_is_rejected_unread() {
    let app = app().await;
    let head =
        "POST /api/v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let request = format!("{head}content-length: 1000000000\r\n\r\n{{");
    let answer = Connection::to(app.address())
        .send(request.as_bytes(), true)
        .await;
    assert_eq!(answer.expect("an answer").status, 413);
}

/// A length that a 32-bit number does not hold is as much too large as any other.
#[tokio::test]
async fn any_length_above_the_limit_is_rejected_at_once() {
    let app = app().await;
    let head =
        "POST /api/v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    for length in [
        1_u64 << 20,
        (1 << 32) - 1,
        1 << 32,
        (1 << 32) + 1,
        (1 << 63) - 1,
    ] {
        let request = format!("{head}content-length: {length}\r\n\r\n{{");
        rejected_at_once(app, &request, 413).await;
    }
}

#[tokio::test]
async fn a_body_of_another_kind_is_rejected_unread() {
    let app = app().await;
    for kind in [
        "content-type: text/plain",
        "content-type: application/json\r\ncontent-encoding: gzip",
    ] {
        let head = format!("POST /api/v1/messages HTTP/1.1\r\nhost: localhost\r\n{kind}\r\n");
        let request = format!("{head}content-length: 100\r\n\r\n{{");
        rejected_at_once(app, &request, 415).await;
    }
}

/// Sends a request whose body never arrives: a response that waited for it takes 8 s.
async fn rejected_at_once(app: &App, request: &str, status: u16) {
    let start = Instant::now();
    let response = Connection::to(app.address())
        .send(request.as_bytes(), true)
        .await;
    assert_eq!(response.expect("a response").status, status, "{request}");
    assert!(start.elapsed() < Duration::from_secs(4), "{request}");
}

#[tokio::test]
async fn a_chunked_body_is_rejected_at_the_limit() {
    let app = app().await;
    let head =
        "POST /api/v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let chunk = format!("2000\r\n{}\r\n", " ".repeat(0x2000));
    let request = format!(
        "{head}transfer-encoding: chunked\r\n\r\n{}",
        chunk.repeat(1000)
    );
    let answer = Connection::to(app.address())
        .send(request.as_bytes(), true)
        .await;
    assert_eq!(answer.expect("an answer").status, 413);
    app.get("/api/v1/health/live").await.expect_status(200);
}

#[tokio::test]
async fn a_body_that_never_arrives_ends_the_request() {
    let app = app().await;
    let head =
        "POST /api/v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let request = format!("{head}content-length: 100\r\n\r\n{{");
    let start = std::time::Instant::now();
    let answer = Connection::to(app.address())
        .send(request.as_bytes(), true)
        .await;
    assert_eq!(answer.expect("an answer").status, 408);
    assert!(start.elapsed().as_secs() <= 12, "{:?}", start.elapsed());
}

#[tokio::test]
async fn texts_with_control_characters_or_without_content_are_invalid() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let post = async |member: &str, value: Value| {
        let mut body = json!({"conversationId": room.id, "senderId": room.users[0],
            "content": "Hi", "clientMessageId": "1"});
        body[member] = value;
        app.post("/api/v1/messages", body).await
    };
    for text in ["\0", "a\0b", "\u{7}", "\u{1b}[2J", "\u{85}", " \n ", ""] {
        let answer = post("content", text.into()).await.expect_status(422);
        assert_eq!(answer.json()["errors"][0]["field"], "content", "{text:?}");
    }
    for text in ["\0", "a\nb", "", " ", &"x".repeat(129)] {
        let answer = post("clientMessageId", text.into())
            .await
            .expect_status(422);
        assert_eq!(answer.json()["errors"][0]["field"], "clientMessageId");
    }
    post("content", "x".repeat(16_385).into())
        .await
        .expect_status(422);
    post("content", "x".repeat(16_384).into())
        .await
        .expect_status(201);
    for title in ["\0", "a\nb", &"x".repeat(201)] {
        let body = json!({"title": title, "participantIds": room.users});
        let answer = app.post("/api/v1/conversations", body).await;
        assert_eq!(
            answer.expect_status(422).json()["errors"][0]["field"],
            "title"
        );
    }
}

#[tokio::test]
async fn text_of_six_bytes_a_character_is_content_like_any_other() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let content = "\\u0041".repeat(16_384);
    let body = format!(
        r#"{{"conversationId":{},"senderId":{},"content":"{content}"}}"#,
        room.id, room.users[0]
    );
    let request = app.request(Method::POST, "/api/v1/messages").body(body);
    let request = request.header("content-type", "application/json");
    let answer = send(request).await.expect_status(201);
    assert_eq!(answer.json()["content"], "A".repeat(16_384));
}

#[tokio::test]
async fn bodies_that_are_not_json_are_malformed() {
    let app = app().await;
    let bodies: [&[u8]; 6] = [
        b"",
        b"{",
        b"{\"content\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        &[b'['; 100_000],
        b"{\"content\":\"\\ud800\",\"conversationId\":1,\"senderId\":1}",
    ];
    for body in bodies {
        let request = app
            .request(Method::POST, "/api/v1/messages")
            .body(body.to_vec());
        let request = request.header("content-type", "application/json");
        send(request).await.expect_status(400);
    }
}

#[tokio::test]
async fn parameters_beyond_their_range_are_malformed() {
    let app = app().await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=%2B5",
        "limit=5&limit=5",
        "limit=99999999999999999999",
        "before=0",
        "after=%00",
        "before=1&after=2",
        "userId=%ff",
        "userId=1.0",
    ] {
        let path = format!("/api/v1/messages?conversationId=1&{query}");
        app.get(&path).await.expect_status(400);
    }
    for id in ["0", "-1", "9007199254740992", "1%00", "%", "x", "1e3"] {
        let path = format!("GET /api/v1/messages/{id} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let answer = Connection::to(app.address())
            .send(path.as_bytes(), true)
            .await;
        assert_eq!(answer.expect("an answer").status, 400, "{id}");
    }
}

#[tokio::test]
async fn odd_headers_do_no_harm() {
    let app = app().await;
    let long = "x".repeat(4000);
    for (name, value) in [
        ("x-request-id", long.as_str()),
        ("x-request-id", "a b"),
        ("last-event-id", long.as_str()),
        ("authorization", long.as_str()),
        ("content-type", long.as_str()),
        ("cookie", "a=%00"),
    ] {
        let request = app.request(Method::GET, "/api/v1/health/live");
        let answer = send(request.header(name, value)).await.expect_status(200);
        let id = answer.header("x-request-id").unwrap_or_default();
        assert_eq!(id.len(), 32, "{id}");
    }
}
