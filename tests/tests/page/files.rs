//! What the page consists of, and the headers it comes with.

use reqwest::Method;
use testkit::{app, send};

#[tokio::test]
async fn the_page_and_its_files_come_with_their_types_and_a_strict_policy() {
    let app = app().await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/?user=2", "text/html; charset=utf-8"),
        ("/assets/app.css", "text/css; charset=utf-8"),
        ("/assets/main.js", "text/javascript; charset=utf-8"),
        ("/assets/favicon.svg", "image/svg+xml"),
    ] {
        let answer = app.get(path).await.expect_status(200);
        assert_eq!(answer.header("content-type"), Some(content_type));
        let length = answer.bytes().len().to_string();
        assert_eq!(answer.header("content-length"), Some(length.as_str()));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    let app = app().await;
    let first = app.get("/assets/main.js").await.expect_status(200);
    let etag = first.header("etag").expect("an entity tag");
    let again = app
        .request(Method::GET, "/assets/main.js")
        .header("if-none-match", etag);
    let again = send(again).await.expect_status(304);
    assert_eq!((again.header("etag"), again.bytes()), (Some(etag), &[][..]));
    let other = app.request(Method::GET, "/").header("if-none-match", etag);
    send(other).await.expect_status(200);
}

#[tokio::test]
async fn a_head_request_gets_the_headers_alone() {
    let app = app().await;
    let whole = app.get("/").await;
    let head = send(app.request(Method::HEAD, "/"))
        .await
        .expect_status(200);
    for name in ["content-length", "content-type", "etag"] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }
    assert!(head.bytes().is_empty());
}

#[tokio::test]
async fn the_page_is_only_read_and_nothing_else_is_there() {
    let app = app().await;
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = send(app.request(method, "/")).await.expect_status(405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
    }
    for path in [
        "/index.html",
        "/assets/",
        "/assets/other.js",
        "/assets/../Cargo.toml",
        "/other",
    ] {
        let answer = app.get(path).await.expect_status(404);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
}
