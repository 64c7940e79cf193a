//! Outbound connections of guests, and their errors.

use crate::{guest, json};

async fn open(store: &str, address: &str) -> String {
    let path = format!("/{store}/open?address={address}");
    let answer = json(guest().await, &path).await;
    answer.as_str().expect("the answer is text").to_owned()
}

#[tokio::test]
async fn only_listed_addresses_are_reached() {
    let app = guest().await;
    assert_eq!(open("redis", app.data().redis_url()).await, "open");
    assert_eq!(open("postgres", app.data().database_url()).await, "open");
    assert_eq!(
        open("redis", "redis://127.0.0.1:1").await,
        "Error::InvalidAddress"
    );
    for address in [
        "postgres://u:p@127.0.0.1:1/x",
        "host=127.0.0.1%20hostaddr=127.0.0.2%20port=1",
    ] {
        let answer = open("postgres", &address.replace("%20", "+")).await;
        assert!(answer.contains("ConnectionFailed"), "{answer}");
    }
    let refused = "add \"redis://127.0.0.1:1\" to allowed_outbound_hosts";
    assert!(app.log().contains(refused));
}

#[tokio::test]
async fn http_requests_are_refused_too() {
    let answer = json(guest().await, "/fetch?url=http://127.0.0.1:1/").await;
    assert_eq!(answer["error"], "ErrorCode::HttpRequestDenied");
}

#[tokio::test]
async fn passwords_are_in_no_error_and_in_no_log() {
    let app = guest().await;
    let host = app
        .data()
        .redis_url()
        .rsplit(['@', '/'])
        .find(|part| part.contains(':'));
    let address = format!("redis://:topsecret@{}", host.expect("the URL has a port"));
    for answer in [
        open("redis", &address).await,
        open("postgres", "postgres://u:topsecret@127.0.0.1:x/y").await,
        open("postgres", "postgres://u:topsecret@127.0.0.1:1/y").await,
    ] {
        assert!(!answer.contains("topsecret"), "{answer}");
    }
    assert!(!app.log().contains("topsecret"));
}

#[tokio::test]
async fn a_component_sees_its_own_variables_only() {
    let app = guest().await;
    let greeting = json(app, "/variable/greeting").await;
    assert!(
        greeting["value"]
            .as_str()
            .is_some_and(|v| v.starts_with("to 127.0.0.1:"))
    );
    let channel = json(app, "/variable/channel").await;
    assert!(
        channel["error"]
            .as_str()
            .is_some_and(|e| e.contains("Undefined"))
    );
    let malformed = json(app, "/variable/Not-a-name").await;
    assert!(
        malformed["error"]
            .as_str()
            .is_some_and(|e| e.contains("InvalidName"))
    );
}
