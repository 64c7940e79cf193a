//! How requests find their component.

use reqwest::Method;
use testkit::send;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{guest, header_values, json};

#[tokio::test]
async fn headers_describe_the_matched_route() {
    let app = guest().await;
    let headers = json(app, "/headers/J%20o/rest/?q=1").await;
    for (name, value) in [
        ("spin-path-info", "/rest/".to_owned()),
        ("spin-full-url", app.url("/headers/J%20o/rest/?q=1")),
        ("spin-matched-route", "/headers/:first_name/...".to_owned()),
        ("spin-base-path", "/".to_owned()),
        (
            "spin-raw-component-route",
            "/headers/:first_name/...".to_owned(),
        ),
        ("spin-component-route", "/headers/:first_name".to_owned()),
        ("spin-path-match-first-name", "J%20o".to_owned()),
    ] {
        assert_eq!(header_values(&headers, name), [value], "{name}");
    }
    let client = &header_values(&headers, "spin-client-addr")[0];
    assert!(client.starts_with("127.0.0.1:"), "{client}");
}

#[tokio::test]
async fn an_exact_route_wins_over_a_named_segment() {
    let headers = json(guest().await, "/headers/exact").await;
    assert_eq!(
        header_values(&headers, "spin-matched-route"),
        ["/headers/exact"]
    );
}

#[tokio::test]
async fn a_forged_header_comes_before_the_hosts_own() {
    let request = guest().await.request(Method::GET, "/headers/real");
    let headers = send(request.header("spin-path-match-first-name", "forged")).await;
    assert_eq!(
        header_values(&headers.json(), "spin-path-match-first-name"),
        ["forged", "real"]
    );
}

#[tokio::test]
async fn a_forged_header_never_comes_last() {
    // reqwest would encode the path.
    let app = guest().await;
    let request = format!(
        "GET /headers/\u{e9} HTTP/1.1\r\nhost: {}\r\nspin-path-match-first-name: forged\r\n\
         connection: close\r\n\r\n",
        app.address()
    );
    let response = exchange(app.address(), request.as_bytes()).await;
    let (head, body) = response.split_once("\r\n\r\n").expect("a head ends");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let headers = serde_json::from_str(body).expect("the body is JSON");
    assert_eq!(
        header_values(&headers, "spin-path-match-first-name"),
        ["forged", "\u{e9}"]
    );
}

/// Sends bytes on a connection, and returns the bytes received until its end.
async fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("devhost accepts");
    stream.write_all(request).await.expect("devhost reads");
    let mut response = String::new();
    let read = stream.read_to_string(&mut response);
    read.await.expect("devhost responds");
    response
}

#[tokio::test]
async fn other_paths_are_404_without_a_body() {
    let app = guest().await;
    for path in ["/", "/header", "/headers2", "/.well-known/spin/other"] {
        let response = app.get(path).await.expect_status(404);
        assert_eq!(response.text(), "", "{path}");
    }
}

#[tokio::test]
async fn the_host_answers_its_health_check() {
    let response = guest().await.get("/.well-known/spin/health").await;
    assert_eq!(response.expect_status(200).text(), "OK");
}
