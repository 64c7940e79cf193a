//! What a good receiver gets.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use jwt_signer::hmac;
use serde_json::json;
use testkit::{Received, Receiver, wait_for};
use tests::{Room, path_of};

use super::{SOON, Webhook, gets, prepared};

/// Names a Python that has the published library of Standard Webhooks: then that checks requests, too.
const LIBRARY: &str = "STANDARDWEBHOOKS_PYTHON";

/// Whether the published library takes a request, where it is installed.
fn library_accepts(received: &Received, secret: &str) -> bool {
    const CHECK: &str = "
import json, sys
from standardwebhooks import Webhook
it = json.load(sys.stdin)
Webhook(it['secret']).verify(it['body'], it['headers'])";
    let Some(python) = std::env::var_os(LIBRARY) else {
        return true;
    };
    let body = str::from_utf8(&received.body).expect("text");
    let request = json!({ "secret": secret, "body": body, "headers": received.headers });
    let python = Command::new(python)
        .args(["-c", CHECK])
        .stdin(Stdio::piped())
        .spawn();
    let mut python = python.expect("Python");
    let mut input = python.stdin.take().expect("a pipe");
    input
        .write_all(request.to_string().as_bytes())
        .expect("a request");
    drop(input);
    python.wait().expect("an end").success()
}

/// Checks a request as the specification of Standard Webhooks says, independent of the service's code.
fn is_signed(received: &Received, secret: &str) -> bool {
    let key = secret.strip_prefix("whsec_").expect("the prefix");
    let key = base64(key);
    let timestamp = received.header("webhook-timestamp");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let sent: u64 = timestamp.parse().expect("seconds");
    assert!(now.as_secs().abs_diff(sent) < 60, "{timestamp}");
    let mut text = format!("{}.{timestamp}.", received.header("webhook-id")).into_bytes();
    text.extend(&received.body);
    let expected = hmac(&key, &text);
    let signatures = received.header("webhook-signature").split(' ');
    signatures
        .filter_map(|one| one.strip_prefix("v1,"))
        .any(|one| base64(one) == expected)
}

/// Decodes the standard alphabet by hand.
fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.trim_end_matches('=').chars();
    let bits: String = digits
        .map(|digit| format!("{:06b}", ALPHABET.find(digit).expect("a digit")))
        .collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes
        .map(|byte| u8::from_str_radix(str::from_utf8(byte).expect("digits"), 2).expect("a byte"))
        .collect()
}

#[tokio::test]
async fn every_event_comes_once_in_order_and_signed() {
    let app = prepared().spawn().await;
    let receiver = Receiver::start().await;
    let events = [
        "conversation-created",
        "new-message",
        "message-edited",
        "message-deleted",
        "message-read",
        "participant-joined",
        "participant-left",
    ];
    let webhook = Webhook::register(&app, &receiver, &events).await;
    let room = Room::new(&app, 2).await;
    let message = room.say(&app, room.users[0], "Hi").await;
    app.patch(&path_of(&message), json!({ "content": "Hello" }))
        .await
        .expect_status(200);
    let read = format!("/api/v1/messages/messages/{}/read", message["id"]);
    app.post(&read, json!({ "userId": room.users[1] }))
        .await
        .expect_status(200);
    let participants = format!("/api/v1/conversations/{}/participants", room.id);
    let newcomer = testkit::unique_user();
    app.post(&participants, json!({ "userId": newcomer }))
        .await
        .expect_status(201);
    app.delete(&format!("{participants}/{newcomer}"))
        .await
        .expect_status(204);
    app.delete(&path_of(&message)).await.expect_status(204);
    gets(&receiver, room.id, &[1, 2, 3, 4, 5, 6, 7]).await;

    let received = receiver.received();
    let types: Vec<String> = received
        .iter()
        .map(|one| one.json()["type"].to_string())
        .collect();
    let expected = [
        "conversation-created",
        "new-message",
        "message-edited",
        "message-read",
        "participant-joined",
        "participant-left",
        "message-deleted",
    ];
    assert_eq!(types, expected.map(|name| format!("\"{name}\"")));
    for (one, seq) in received.iter().zip(1..) {
        assert!(is_signed(one, &webhook.secret) && library_accepts(one, &webhook.secret));
        assert_eq!(
            one.header("webhook-id"),
            format!("msg_{}_{}_{seq}", webhook.id, room.id)
        );
        assert_eq!(one.header("content-type"), "application/json");
        assert_eq!(one.path, "/hook");
        assert!(
            one.json()["timestamp"]
                .as_str()
                .is_some_and(|text| text.ends_with('Z'))
        );
    }
    assert_eq!(received[4].json()["data"]["userId"], newcomer);
    webhook
        .reaches(&app, "delivered", room.id, &[1, 2, 3, 4, 5, 6, 7])
        .await;
}

#[tokio::test]
async fn a_receiver_gets_the_types_that_it_named_and_no_contents_unless_it_asked() {
    let app = prepared().spawn().await;
    let (with, without, other) = (
        Receiver::start().await,
        Receiver::start().await,
        Receiver::start().await,
    );
    Webhook::register(&app, &with, &["new-message"]).await;
    let body = json!({ "url": without.url("/hook"), "events": ["new-message"] });
    app.post("/api/v1/webhooks", body).await.expect_status(201);
    Webhook::register(&app, &other, &["participant-left"]).await;
    let room = Room::new(&app, 2).await;
    let message = room
        .say(&app, room.users[0], "a secret of the client's")
        .await;
    gets(&with, room.id, &[2]).await;
    gets(&without, room.id, &[2]).await;
    assert_eq!(with.received()[0].json()["data"]["message"], message);
    let mut bare = message;
    bare.as_object_mut().expect("an object").remove("content");
    assert_eq!(without.received()[0].json()["data"]["message"], bare);
    assert_eq!(other.received().len(), 0);
}

#[tokio::test]
async fn after_a_rotation_requests_are_signed_with_both_secrets_for_a_day() {
    let app = prepared().spawn().await;
    let receiver = Receiver::start().await;
    let webhook = Webhook::register(&app, &receiver, &["new-message"]).await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "before").await;
    gets(&receiver, room.id, &[2]).await;
    let rotated = app
        .post(&webhook.path("/rotate"), json!({}))
        .await
        .expect_status(200)
        .json();
    let secret = rotated["secret"].as_str().expect("a secret").to_owned();
    assert!(rotated["previousUntil"].is_string());
    room.say(&app, room.users[0], "after").await;
    gets(&receiver, room.id, &[2, 3]).await;
    let signed_by = |at: usize| {
        let received = receiver.received();
        [&webhook.secret, &secret].map(|secret| is_signed(&received[at], secret))
    };
    assert_eq!([signed_by(0), signed_by(1)], [[true, false], [true, true]]);
    let expire = "update webhooks set previous_until = now() - interval '1 second'";
    app.postgres()
        .await
        .batch_execute(expire)
        .await
        .expect("a change");
    room.say(&app, room.users[0], "a day later").await;
    gets(&receiver, room.id, &[2, 3, 4]).await;
    assert_eq!(signed_by(2), [false, true]);
}

#[tokio::test]
async fn conversations_are_sent_at_once_and_each_in_its_order() {
    let app = prepared().spawn().await;
    let receiver = Receiver::start().await;
    receiver.answer(|_| testkit::Answer::Later(200, Duration::from_millis(20)));
    Webhook::register(&app, &receiver, &["new-message"]).await;
    let rooms = join_all((0..8).map(|_| Room::new(&app, 2))).await;
    for n in 0..10 {
        join_all(
            rooms
                .iter()
                .map(|room| room.say(&app, room.users[n % 2], "ordered")),
        )
        .await;
    }
    let observe = async || receiver.received().len();
    wait_for("all are there", 3 * SOON, observe, |count| *count >= 80).await;
    for room in &rooms {
        gets(&receiver, room.id, &(2..=11).collect::<Vec<_>>()).await;
    }
}

/// A figure, and no test: `cargo test --test api webhooks -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn deliveries_a_second() {
    let app = prepared().spawn().await;
    let receiver = Receiver::start().await;
    Webhook::register(&app, &receiver, &["new-message"]).await;
    let fill = "
        insert into conversations (id) overriding system value select n from generate_series(1, 500) n;
        insert into webhook_deliveries (webhook_id, conversation_id, seq, type, created_at, next_at)
        select w.id, n, s, 'new-message', now(), case s when 1 then now() end
        from webhooks w, generate_series(1, 500) n, generate_series(1, 20) s;
        update webhooks set due_at = now()";
    app.postgres()
        .await
        .batch_execute(fill)
        .await
        .expect("rows");
    let start = std::time::Instant::now();
    app.get("/api/v1/health").await;
    let observe = async || receiver.received().len();
    wait_for("all are there", 12 * SOON, observe, |count| {
        *count >= 10_000
    })
    .await;
    let rate = 10_000.0 / start.elapsed().as_secs_f64();
    println!("{rate:.0} deliveries a second");
}
