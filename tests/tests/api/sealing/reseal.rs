//! Changes of keys: everything is sealed by the first one, and nobody notices.

use std::sync::atomic::{AtomicBool, Ordering};

use dev_services::reseal::{Resealed, reseal_database};
use messaging::sealing::Keys;
use serde_json::{Value, json};
use testkit::App;
use tests::stored::{places_of, rows};
use tests::{derived, path_of};

use super::{contents, conversation, keys, titled, with_keys};
use crate::search::found;

const NEW: [(&str, u8); 2] = [("new", 2), ("old", 1)];

async fn reseal(app: &App, list: &[(&str, u8)]) -> Resealed {
    let keys = Keys::parse(&keys(list)).expect("keys");
    let done = reseal_database(app.data().database_url(), &keys).await;
    dev_services::flush::flush_texts(app.redis_url())
        .await
        .expect("a flush");
    done.expect("a run")
}

#[tokio::test]
async fn what_was_plain_is_sealed_and_found_and_shown_as_before() {
    let plain = with_keys(&[]).own_stores().spawn().await;
    let room = titled(&plain, "Plainly titled").await;
    let (ann, bob) = (room.users[0], room.users[1]);
    let kept = room.say(&plain, ann, "plainly kept").await;
    let edited = room.say(&plain, bob, "plainly posted").await;
    let path = format!("{}?userId={bob}", path_of(&edited));
    plain
        .patch(&path, json!({ "content": "plainly edited" }))
        .await
        .expect_status(200);
    let deleted = room.say(&plain, ann, "plainly deleted").await;
    let path = format!("{}?userId={ann}", path_of(&deleted));
    plain.delete(&path).await.expect_status(204);
    let before = plain.get(&room.list(50)).await.expect_status(200).text();
    let sealed = with_keys(&[("one", 1)])
        .same_stores_as(&plain)
        .spawn()
        .await;
    assert_eq!(
        sealed.get(&room.list(50)).await.text(),
        before,
        "it is readable at once"
    );
    assert_eq!(
        conversation(&sealed, &room).await["title"],
        "Plainly titled"
    );
    let done = reseal(&sealed, &[("one", 1)]).await;
    assert_eq!(
        (done.messages, done.revisions, done.titles, done.unreadable),
        (2, 2, 1, 0)
    );
    assert!(done.requests >= 1);
    assert_eq!(reseal(&sealed, &[("one", 1)]).await, Resealed::default());
    assert_eq!(
        places_of(&rows(&sealed).await, &["plainly", "Plainly"]),
        [""; 0]
    );
    assert_eq!(sealed.get(&room.list(50)).await.text(), before);
    assert_eq!(sealed.get(&path_of(&kept)).await.json(), kept);
    assert_eq!(
        found(&sealed, ann, "plainly").await,
        ["plainly edited", "plainly kept"]
    );
    assert_eq!(
        found(&sealed, ann, "\"plainly kept\"").await,
        ["plainly kept"]
    );
    let revisions = format!("{}/revisions", path_of(&edited));
    let revisions = sealed.get(&revisions).await.expect_status(200).json();
    assert_eq!(revisions[1]["content"], "plainly posted");
    derived::assert_exact(&sealed.postgres().await).await;
}

#[tokio::test]
async fn keys_are_changed_while_posts_go_on() {
    let old = with_keys(&NEW[1..]).own_stores().spawn().await;
    let room = titled(&old, "The file").await;
    let ann = room.users[0];
    let mut expected: Vec<String> = (0..40).map(|n| format!("before {n}")).collect();
    for text in &expected {
        room.say(&old, ann, text).await;
    }
    let both = with_keys(&NEW).same_stores_as(&old).spawn().await;
    let is_done = AtomicBool::new(false);
    let post = async {
        let mut said = Vec::new();
        while said.len() < 20 || !is_done.load(Ordering::Relaxed) && said.len() < 55 {
            let n = said.len();
            let message = room.say(&both, ann, &format!("meantime {n}")).await;
            if n % 4 == 0 {
                let path = format!("{}?userId={ann}", path_of(&message));
                let text = json!({ "content": format!("meantime edited {n}") });
                both.patch(&path, text).await.expect_status(200);
            }
            said.push(n);
        }
        said
    };
    let rotate = async {
        for _ in 0..3 {
            reseal(&both, &NEW).await;
        }
        is_done.store(true, Ordering::Relaxed);
    };
    let (said, ()) = futures::join!(post, rotate);
    expected.extend(said.iter().map(|n| match n % 4 {
        0 => format!("meantime edited {n}"),
        _ => format!("meantime {n}"),
    }));
    let last = reseal(&both, &NEW).await;
    assert_eq!(last.unreadable, 0);
    let new = with_keys(&NEW[..1]).same_stores_as(&old).spawn().await;
    assert_eq!(contents(&new, &room).await, expected);
    assert_eq!(conversation(&new, &room).await["title"], "The file");
    assert_eq!(found(&new, ann, "before 7").await, ["before 7"]);
    let changes = format!(
        "/api/v1/messages/conversations/{}/changes?limit=100",
        room.id
    );
    let changes = new.get(&changes).await.expect_status(200).json();
    let events = 1 + expected.len() + said.iter().filter(|n| *n % 4 == 0).count();
    assert_eq!(
        changes["changes"].as_array().map(Vec::len),
        Some(events.min(100))
    );
    assert_eq!(newest_seq(&new, room.id).await, events as i64);
    derived::assert_exact(&new.postgres().await).await;
}

async fn newest_seq(app: &App, conversation: i64) -> i64 {
    let seq = "select event_seq from conversations where id = $1";
    let row = app.postgres().await.query_one(seq, &[&conversation]).await;
    row.expect("a row").get(0)
}

#[tokio::test]
async fn a_repeated_post_is_recognised_after_the_old_key_is_gone() {
    let old = with_keys(&NEW[1..]).own_stores().spawn().await;
    let room = titled(&old, "The file").await;
    let post = async |app: &App, content: &str, key: &str| {
        let body = json!({
            "conversationId": room.id, "senderId": room.users[0], "content": content, "clientMessageId": key,
        });
        app.post("/api/v1/messages", body).await
    };
    for key in ["kept", "edited", "deleted"] {
        let said: Value = post(&old, "text", key).await.expect_status(201).json();
        let path = format!("{}?userId={}", path_of(&said), room.users[0]);
        match key {
            "edited" => drop(
                old.patch(&path, json!({ "content": "x" }))
                    .await
                    .expect_status(200),
            ),
            "deleted" => drop(old.delete(&path).await.expect_status(204)),
            _ => {}
        }
    }
    reseal(&old, &NEW).await;
    let new = with_keys(&NEW[..1]).same_stores_as(&old).spawn().await;
    for key in ["kept", "edited", "deleted"] {
        post(&new, "text", key).await.expect_status(200);
        post(&new, "another", key).await.expect_status(409);
    }
}

#[tokio::test]
async fn what_no_key_opens_stays_as_it_is_and_is_counted() {
    let gone = with_keys(&[("gone", 9)]).own_stores().spawn().await;
    let room = titled(&gone, "The file").await;
    room.say(&gone, room.users[0], "text").await;
    let done = reseal(&gone, &NEW).await;
    assert_eq!((done.messages, done.titles, done.unreadable), (0, 0, 2));
    assert_eq!(contents(&gone, &room).await, ["text"]);
}
