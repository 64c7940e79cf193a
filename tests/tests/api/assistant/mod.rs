//! The assistant, with an endpoint whose behaviour the test chooses.

mod endpoint;

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::{App, Response};
use tests::{Room, path_of, stored};

use endpoint::{Behaviour, Endpoint, completion, response};

const AT_ONCE: Duration = Duration::ZERO;

async fn app(endpoint: &Endpoint) -> App {
    with_endpoint(endpoint).spawn().await
}

fn with_endpoint(endpoint: &Endpoint) -> testkit::Builder {
    App::builder()
        .variable("ai_url", &endpoint.url)
        .variable("ai_key", "a key of this test")
        .variable("ai_model", "a-model")
        .variable("ai_rate_limit", 0)
}

/// A conversation that allows the assistant, with a message.
async fn room(app: &App) -> Room {
    let room = Room::new(app, 2).await;
    let change = json!({ "assistant": true });
    let path = format!("/api/v1/conversations/{}", room.id);
    app.patch(&path, change).await.expect_status(200);
    room.say(app, room.users[0], "We settle for 5,000.").await;
    room
}

async fn ask(app: &App, room: &Room, body: Value) -> Response {
    let user = room.users[1];
    let path = format!(
        "/api/v1/messages/conversations/{}/assistant?userId={user}",
        room.id
    );
    app.post(&path, body).await
}

#[tokio::test]
async fn an_answer_says_what_it_is_based_on_and_the_same_question_is_asked_once() {
    let endpoint = Endpoint::start(Behaviour::Says("They settled.", AT_ONCE)).await;
    let app = app(&endpoint).await;
    let room = room(&app).await;
    let first = ask(&app, &room, json!({ "task": "summary" })).await;
    assert_eq!(
        first.expect_status(200).json(),
        json!({
            "text": "They settled.", "model": "a-model-1", "cached": false,
            "basedOn": { "fromOrdinal": 1, "toOrdinal": 1 },
        })
    );
    let again = ask(&app, &room, json!({ "task": "summary" })).await;
    let again = again.expect_status(200).json();
    assert_eq!(again["cached"], true);
    assert_eq!(again["text"], "They settled.");
    assert_eq!(endpoint.count(), 1);

    let request = endpoint.newest().await;
    assert!(
        request.starts_with("POST /v1/chat/completions "),
        "{request}"
    );
    assert!(
        request
            .to_lowercase()
            .contains("authorization: bearer a key of this test")
    );
    assert!(request.contains(r#""model":"a-model""#));
    assert!(request.contains("We settle for 5,000."));
}

#[tokio::test]
async fn after_any_change_of_the_messages_it_is_asked_anew() {
    let endpoint = Endpoint::start(Behaviour::Says("An answer.", AT_ONCE)).await;
    let app = app(&endpoint).await;
    let room = room(&app).await;
    let question = json!({ "task": "question", "question": "How much?" });
    ask(&app, &room, question.clone()).await.expect_status(200);
    let message = room.say(&app, room.users[0], "No, 6,000.").await;
    let edit = json!({ "content": "No, 7,000.", "senderId": room.users[0] });
    for change in 0..3 {
        match change {
            0 => {}
            1 => {
                let edited = app.patch(&path_of(&message), edit.clone()).await;
                edited.expect_status(200);
            }
            _ => {
                app.delete(&path_of(&message)).await.expect_status(204);
            }
        }
        let answer = ask(&app, &room, question.clone()).await;
        assert_eq!(
            answer.expect_status(200).json()["cached"],
            false,
            "{change}"
        );
    }
    assert_eq!(endpoint.count(), 4);
    let request = endpoint.newest().await;
    assert!(!request.contains("7,000"), "{request}");
}

#[tokio::test]
async fn however_many_ask_at_once_on_several_instances_one_asks_the_model() {
    let slowly = Behaviour::Says("An answer.", Duration::from_millis(800));
    let endpoint = Endpoint::start(slowly).await;
    let app = app(&endpoint).await;
    let second = with_endpoint(&endpoint).same_stores_as(&app).spawn().await;
    let room = room(&app).await;
    let asked = (0..12).map(|at| {
        let app = if at % 2 == 0 { &app } else { &second };
        ask(app, &room, json!({ "task": "reply" }))
    });
    let answers = join_all(asked).await;
    let mut fresh = 0;
    for answer in answers {
        let answer = answer.expect_status(200).json();
        assert_eq!(answer["text"], "An answer.");
        fresh += usize::from(answer["cached"] == false);
    }
    assert_eq!((fresh, endpoint.count()), (1, 1));
}

#[tokio::test]
async fn conversations_and_questions_share_nothing() {
    let endpoint = Endpoint::start(Behaviour::Says("An answer.", AT_ONCE)).await;
    let app = app(&endpoint).await;
    let (one, two) = (room(&app).await, room(&app).await);
    let mut asked = 0;
    for room in [&one, &two] {
        for body in [
            json!({ "task": "summary" }),
            json!({ "task": "reply" }),
            json!({ "task": "summary", "limit": 7 }),
            json!({ "task": "question", "question": "How much?" }),
            json!({ "task": "question", "question": "How many?" }),
        ] {
            let answer = ask(&app, room, body).await.expect_status(200).json();
            assert_eq!(answer["cached"], false);
            asked += 1;
        }
    }
    assert_eq!(endpoint.count(), asked);
}

#[tokio::test]
async fn what_the_endpoint_does_wrong_is_502_and_is_not_kept() {
    let endpoint = Endpoint::start(Behaviour::Hangs).await;
    let app = app(&endpoint).await;
    let room = room(&app).await;
    let json = "application/json";
    let cut = {
        let mut whole = completion("cut");
        whole.truncate(whole.len() - 10);
        whole
    };
    for wrong in [
        response("500 Internal Server Error", json, "{}"),
        response("429 Too Many Requests", json, "{}"),
        response("302 Found", json, "{}"),
        response("200 OK", json, "no JSON"),
        response("200 OK", json, "{}"),
        response("200 OK", json, r#"{"choices":[]}"#),
        response(
            "200 OK",
            json,
            r#"{"choices":[{"message":{"content":null}}]}"#,
        ),
        response("200 OK", "text/event-stream", "data: {}\n\n"),
        response(
            "200 OK",
            json,
            &format!(r#"{{"x":"{}"}}"#, "x".repeat(1 << 20)),
        ),
        cut,
        b"no HTTP".to_vec(),
        Vec::new(),
    ] {
        let shown = String::from_utf8_lossy(&wrong[..wrong.len().min(80)]).into_owned();
        endpoint.behave(Behaviour::Sends(wrong)).await;
        let refused = ask(&app, &room, json!({ "task": "summary" })).await;
        assert_eq!(refused.status(), 502, "{shown}: {}", refused.text());
        assert!(!refused.text().contains("choices"));
    }
    endpoint
        .behave(Behaviour::Says("An answer.", AT_ONCE))
        .await;
    let answer = ask(&app, &room, json!({ "task": "summary" })).await;
    assert_eq!(answer.expect_status(200).json()["cached"], false);
    assert!(!app.log().contains("a key of this test"));
    assert!(!app.log().contains("5,000"));
}

/// A request that asks the model may die with its host: another one takes over.
#[tokio::test]
async fn who_dies_while_asking_holds_nobody_up_for_long() {
    let endpoint = Endpoint::start(Behaviour::Hangs).await;
    let app = app(&endpoint).await;
    let room = room(&app).await;
    let dying = with_endpoint(&endpoint).same_stores_as(&app).spawn().await;
    let asking = ask(&dying, &room, json!({ "task": "summary" }));
    let given_up = tokio::time::timeout(Duration::from_secs(2), asking).await;
    assert!(given_up.is_err());
    drop(dying);
    endpoint
        .behave(Behaviour::Says("An answer.", AT_ONCE))
        .await;
    let asking = ask(&app, &room, json!({ "task": "summary" }));
    let answer = tokio::time::timeout(Duration::from_secs(20), asking).await;
    let answer = answer.expect("an answer in time").expect_status(200).json();
    assert_eq!(answer["text"], "An answer.");
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_504() {
    let endpoint = Endpoint::start(Behaviour::Hangs).await;
    let app = app(&endpoint).await;
    let room = room(&app).await;
    let late = ask(&app, &room, json!({ "task": "summary" })).await;
    late.expect_status(504);
}

#[tokio::test]
async fn the_assistant_is_off_unless_operator_and_conversation_allow_it() {
    let endpoint = Endpoint::start(Behaviour::Says("An answer.", AT_ONCE)).await;
    let app = app(&endpoint).await;
    let silent = Room::new(&app, 2).await;
    silent.say(&app, silent.users[0], "Hi").await;
    ask(&app, &silent, json!({ "task": "summary" }))
        .await
        .expect_status(403);
    let outsider = Room::new(&app, 1).await.users[0];
    let allowed = room(&app).await;
    let path = format!(
        "/api/v1/messages/conversations/{}/assistant?userId={outsider}",
        allowed.id
    );
    app.post(&path, json!({ "task": "summary" }))
        .await
        .expect_status(404);
    // It is switched off again at once.
    let path = format!("/api/v1/conversations/{}", allowed.id);
    app.patch(&path, json!({ "assistant": false }))
        .await
        .expect_status(200);
    ask(&app, &allowed, json!({ "task": "summary" }))
        .await
        .expect_status(403);
    assert_eq!(endpoint.count(), 0);

    let without = testkit::app().await;
    let there = room(without).await;
    ask(without, &there, json!({ "task": "summary" }))
        .await
        .expect_status(501);
}

#[tokio::test]
async fn a_question_has_to_be_one() {
    let endpoint = Endpoint::start(Behaviour::Says("An answer.", AT_ONCE)).await;
    let app = app(&endpoint).await;
    let room = room(&app).await;
    for (body, status) in [
        (json!({ "task": "sing" }), 422),
        (json!({ "task": 1 }), 400),
        (json!({}), 400),
        (json!({ "task": "question" }), 422),
        (json!({ "task": "question", "question": " " }), 422),
        (
            json!({ "task": "question", "question": "x".repeat(2_001) }),
            422,
        ),
        (json!({ "task": "summary", "limit": 0 }), 422),
        (json!({ "task": "summary", "limit": 101 }), 422),
    ] {
        ask(&app, &room, body).await.expect_status(status);
    }
    assert_eq!(endpoint.count(), 0);
}

#[tokio::test]
async fn the_assistant_has_a_rate_of_its_own() {
    let endpoint = Endpoint::start(Behaviour::Says("An answer.", AT_ONCE)).await;
    let app = with_endpoint(&endpoint)
        .variable("ai_rate_limit", 2)
        .spawn()
        .await;
    let room = room(&app).await;
    let mut statuses = Vec::new();
    for limit in 1..=3 {
        let body = json!({ "task": "summary", "limit": limit });
        statuses.push(ask(&app, &room, body).await.status());
    }
    assert_eq!(statuses, [200, 200, 429]);
    room.say(&app, room.users[1], "Other requests go on").await;
}

#[tokio::test]
async fn where_contents_are_sealed_the_model_reads_them_and_its_answer_is_kept_sealed() {
    let said = "They settled for a secret sum.";
    let endpoint = Endpoint::start(Behaviour::Says(said, AT_ONCE)).await;
    for (list, kept) in [("", true), (testkit::CONTENT_KEYS, false)] {
        let app = with_endpoint(&endpoint);
        let app = app
            .variable("content_keys", list)
            .own_stores()
            .spawn()
            .await;
        let room = room(&app).await;
        for cached in [false, true] {
            let answer = ask(&app, &room, json!({ "task": "summary" })).await;
            let answer = answer.expect_status(200).json();
            assert_eq!(
                (&answer["text"], &answer["cached"]),
                (&json!(said), &json!(cached))
            );
        }
        assert!(endpoint.newest().await.contains("We settle for 5,000."));
        let found = stored::places_of(&stored::keys(&app).await, &[said]);
        assert_eq!(!found.is_empty(), kept, "{found:?}");
    }
}
