//! What every route has in common: HEAD, OPTIONS, CORS, headers, and how a body is read.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::{App, Response, app, send, unique_user};
use tests::token;
use tokio::sync::OnceCell;

const ORIGIN: &str = "https://practice.example";
const LIVE: &str = "/api/v1/health/live";

/// An app that pages of one other origin may use.
async fn shared() -> &'static App {
    static APP: OnceCell<App> = OnceCell::const_new();
    let origins = format!("https://other.example, {ORIGIN}");
    let start = || token::closed().variable("cors_origins", origins).spawn();
    APP.get_or_init(start).await
}

/// An app that pages of any origin may use.
async fn shared_with_all() -> App {
    token::closed().variable("cors_origins", "*").spawn().await
}

fn from(origin: &str, app: &App, method: Method, path: &str) -> RequestBuilder {
    app.request(method, path).header("origin", origin)
}

fn preflight(origin: &str, app: &App, path: &str) -> RequestBuilder {
    from(origin, app, Method::OPTIONS, path).header("access-control-request-method", "POST")
}

/// The value of a header that must be there.
fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    let value = response.header(name);
    value.unwrap_or_else(|| panic!("no {name} in {response} {:?}", response.headers()))
}

/// The headers of a response that are about other origins.
fn cors_headers(response: &Response) -> Vec<&str> {
    let names = response.headers().keys().map(|name| name.as_str());
    names
        .filter(|name| name.starts_with("access-control-"))
        .collect()
}

#[tokio::test]
async fn head_is_answered_wherever_get_is() {
    let app = app().await;
    let user = unique_user();
    for path in [
        LIVE.to_owned(),
        format!("/api/v1/conversations?userId={user}"),
        format!("/api/v1/messages/users/{user}/online-status"),
    ] {
        let get = app.get(&path).await.expect_status(200);
        let head = send(app.request(Method::HEAD, &path)).await;
        let head = head.expect_status(200);
        assert!(head.bytes().is_empty(), "{path}");
        for name in ["content-type", "content-length", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
    send(app.request(Method::HEAD, "/api/v1/messages/x"))
        .await
        .expect_status(400);
    send(app.request(Method::HEAD, "/api/v1/messages/stream-tickets"))
        .await
        .expect_status(405);
}

#[tokio::test]
async fn options_are_answered_without_identity() {
    let app = shared().await;
    let response = send(app.request(Method::OPTIONS, "/api/v1/messages")).await;
    let response = response.expect_status(204);
    assert_eq!(header(&response, "allow"), "GET, HEAD, POST, OPTIONS");
    assert_eq!(cors_headers(&response), Vec::<&str>::new());
    send(app.request(Method::OPTIONS, "/api/v1/nothing"))
        .await
        .expect_status(404);
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_read_every_response() {
    let app = shared().await;
    let token = token::user(unique_user());
    for (path, authorization, status) in [
        (LIVE, None, 200),
        ("/api/v1/conversations", Some(&token), 200),
        ("/api/v1/conversations", None, 401),
        ("/api/v1/conversations/1?a=1&a=2", Some(&token), 400),
        ("/api/v1/conversations/9007199254740991", Some(&token), 404),
        ("/api/v1/nothing", None, 404),
    ] {
        let mut request = from(ORIGIN, app, Method::GET, path);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let response = send(request).await.expect_status(status);
        assert_eq!(header(&response, "access-control-allow-origin"), ORIGIN);
        assert_eq!(
            header(&response, "access-control-allow-credentials"),
            "true"
        );
        assert_eq!(header(&response, "vary"), "Origin", "{path}");
        let exposed = header(&response, "access-control-expose-headers");
        for name in [
            "Location",
            "Link",
            "Retry-After",
            "X-Request-Id",
            "X-Cache",
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
        ] {
            assert!(exposed.split(", ").any(|exposed| exposed == name), "{name}");
        }
    }
}

#[tokio::test]
async fn a_preflight_allows_what_the_route_takes() {
    let app = shared().await;
    let response = send(preflight(ORIGIN, app, "/api/v1/messages")).await;
    let response = response.expect_status(204);
    assert_eq!(header(&response, "access-control-allow-origin"), ORIGIN);
    let methods = header(&response, "access-control-allow-methods");
    assert_eq!(methods, header(&response, "allow"));
    let allowed = header(&response, "access-control-allow-headers");
    for name in ["Authorization", "Content-Type", "Idempotency-Key"] {
        assert!(allowed.split(", ").any(|allowed| allowed == name), "{name}");
    }
    assert_eq!(header(&response, "vary"), "Origin");
}

#[tokio::test]
async fn pages_of_other_origins_are_allowed_nothing() {
    let app = shared().await;
    for origin in [
        "https://evil.example",
        "http://practice.example",
        "https://practice.example.evil.example",
        "null",
        "*",
    ] {
        for request in [
            from(origin, app, Method::GET, LIVE),
            preflight(origin, app, "/api/v1/messages"),
        ] {
            let response = send(request).await;
            assert_eq!(cors_headers(&response), Vec::<&str>::new(), "{origin}");
            assert_eq!(header(&response, "vary"), "Origin", "{origin}");
        }
    }
}

#[tokio::test]
async fn any_origin_is_allowed_without_credentials_only() {
    let app = shared_with_all().await;
    let response = send(from("https://any.example", &app, Method::GET, LIVE)).await;
    assert_eq!(header(&response, "access-control-allow-origin"), "*");
    assert_eq!(response.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn without_origins_there_is_no_cors() {
    let app = app().await;
    for request in [
        from(ORIGIN, app, Method::GET, LIVE),
        preflight(ORIGIN, app, "/api/v1/messages"),
    ] {
        let response = send(request).await;
        assert_eq!(cors_headers(&response), Vec::<&str>::new());
        assert_eq!(response.header("vary"), None);
    }
}

#[tokio::test]
async fn no_response_of_the_api_is_stored_or_sniffed() {
    let app = app().await;
    let user = unique_user();
    let body = json!({"participantIds": [user]});
    let created = app.post("/api/v1/conversations", &body).await;
    for response in [
        created.expect_status(201),
        app.get(LIVE).await,
        app.get("/api/v1/nothing").await,
        app.get("/api/v1/messages").await.expect_status(400),
        app.post("/api/v1/messages", json!([])).await,
        app.patch("/api/v1/messages", json!({})).await,
        send(app.request(Method::OPTIONS, "/api/v1/messages")).await,
        send(app.request(Method::HEAD, LIVE)).await,
    ] {
        assert_eq!(header(&response, "cache-control"), "no-store");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        assert!(response.header("x-request-id").is_some(), "{response}");
    }
    let stream = app
        .events(&format!("/api/v1/messages/users/{user}/events"))
        .await;
    assert_eq!(stream.headers()["cache-control"], "no-store");
    assert_eq!(stream.headers()["x-content-type-options"], "nosniff");
}

fn with_body(app: &App, body: &str) -> RequestBuilder {
    app.request(Method::POST, "/api/v1/conversations")
        .header("content-type", "application/json")
        .body(body.to_owned())
}

/// The first mistake that a response names.
fn mistake(response: &Response) -> Value {
    response.json()["errors"][0].clone()
}

#[tokio::test]
async fn a_body_is_one_json_object_in_which_no_member_is_repeated() {
    let app = app().await;
    let user = unique_user();
    for (body, field, message) in [
        (format!("[null, [{user}]]"), "body", "must be a JSON object"),
        ("[]".into(), "body", "must be a JSON object"),
        ("null".into(), "body", "must be a JSON object"),
        (
            format!(r#"{{"participantIds": [{user}], "participantIds": [{user}]}}"#),
            "body",
            "has the member participantIds twice",
        ),
        (
            format!(r#"{{"participantIds": [{user}]}} {{}}"#),
            "body",
            "has data behind the JSON object",
        ),
        ("{".into(), "body", "is not JSON"),
        (
            r#"{"participantIds": {}}"#.into(),
            "participantIds",
            "has the wrong type",
        ),
    ] {
        let response = send(with_body(app, &body)).await.expect_status(400);
        let expected = json!({"field": field, "message": message});
        assert_eq!(mistake(&response), expected, "{body}");
    }
    let good = format!(" {{\"participantIds\": [{user}], \"unknown\": [[1]]}}\n");
    send(with_body(app, &good)).await.expect_status(201);
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let app = app().await;
    let body = format!(r#"{{"participantIds": [{}]}}"#, unique_user());
    for encoding in ["gzip", "br", "identity, gzip", "x", ""] {
        let request = with_body(app, &body).header("content-encoding", encoding);
        send(request).await.expect_status(415);
    }
    let request = with_body(app, &body).header("content-encoding", "identity");
    send(request).await.expect_status(201);
}

#[tokio::test]
async fn numbers_in_a_query_are_digits_and_no_parameter_is_repeated() {
    let app = app().await;
    let user = unique_user();
    let path = |query: &str| format!("/api/v1/conversations?userId={user}&{query}");
    for query in [
        "limit=%2B5",
        "limit=+5",
        "limit=5.0",
        "limit=%D9%A5",
        "limit=",
    ] {
        let response = app.get(&path(query)).await.expect_status(400);
        assert_eq!(mistake(&response)["field"], "limit", "{query}");
    }
    for query in ["limit=5&limit=5", "limit=5&l%69mit=6"] {
        let response = app.get(&path(query)).await.expect_status(400);
        let expected = json!({"field": "limit", "message": "is given twice"});
        assert_eq!(mistake(&response), expected, "{query}");
    }
    app.get(&path("limit=5")).await.expect_status(200);
}

#[tokio::test]
async fn an_idempotency_key_is_one_text_of_visible_characters() {
    let app = app().await;
    let body = format!(r#"{{"participantIds": [{}]}}"#, unique_user());
    let long = "k".repeat(129);
    for keys in [
        vec![""],
        vec!["a b"],
        vec!["ü"],
        vec![&*long],
        vec!["a", "a"],
    ] {
        let mut request = with_body(app, &body);
        for key in &keys {
            request = request.header("idempotency-key", *key);
        }
        let response = send(request).await.expect_status(400);
        assert_eq!(mistake(&response)["field"], "Idempotency-Key", "{keys:?}");
    }
    let key = "k".repeat(128);
    let request = with_body(app, &body).header("idempotency-key", key);
    send(request).await.expect_status(201);
}

#[tokio::test]
async fn a_text_needs_a_visible_character_and_a_title_reads_as_it_is_written() {
    let app = app().await;
    let room = tests::Room::new(app, 2).await;
    for content in [
        "\u{200b}",
        "\u{2800}\u{3164}",
        "\u{ad}\u{feff}\u{115f}\u{1160}\u{ffa0}",
        "\u{fe0f}\u{e0061}\u{e007f}",
        "\u{202e} \u{2066}",
    ] {
        let response = room.post(app, room.users[0], content).await;
        let response = response.expect_status(422);
        assert_eq!(mistake(&response)["field"], "content", "{content:?}");
    }
    room.say(app, room.users[0], "👩\u{200d}💻").await;
    for title in ["a\u{202e}b", "a\u{2067}b", "a\u{2028}b", "\u{200b}"] {
        let body = json!({"title": title, "participantIds": room.users});
        let response = app.post("/api/v1/conversations", body).await;
        let response = response.expect_status(422);
        assert_eq!(mistake(&response)["field"], "title", "{title:?}");
    }
}
