//! What a query finds, and what of it is highlighted.

use serde_json::{Value, json};
use testkit::app;
use tests::{Room, path_of};

use super::{ask, contents, found, results, say_all, search_as};

#[tokio::test]
async fn a_word_finds_the_message_as_it_is_and_where_it_is_in_it() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let said = room
        .say(
            app,
            room.users[0],
            "😀 Die FRIST läuft; die Frist endet im März.",
        )
        .await;
    room.say(app, room.users[0], "etwas anderes").await;
    let answer = search_as(app, room.users[1], "frist MARZ").await;
    let highlights =
        json!([{"start": 7, "length": 5}, {"start": 24, "length": 5}, {"start": 39, "length": 4}]);
    assert_eq!(
        answer,
        json!({ "results": [{ "message": said, "highlights": highlights }], "next": null })
    );
}

/// Beginnings of words are not, where contents are sealed.
fn is_asked(query: &str) -> bool {
    !testkit::is_sealed() || !query.contains('*')
}

#[tokio::test]
async fn words_phrases_exclusions_and_prefixes_go_together() {
    let app = app().await;
    let room = Room::new(app, 1).await;
    let user = room.users[0];
    let (a, b, c) = (
        "Die Klage ist fristgerecht",
        "Frist der Klage",
        "Klage der Frist",
    );
    say_all(app, &room, &[a, b, c]).await;
    for (query, expected) in [
        ("klage", vec![c, b, a]),
        ("klage frist", vec![c, b]),
        ("klage FRIST*", vec![c, b, a]),
        ("\"frist der klage\"", vec![b]),
        ("\"der klage", vec![b]),
        ("klage -frist", vec![a]),
        ("klage -frist*", vec![]),
        ("klage -\"der frist\"", vec![b, a]),
        ("„Klage der“ frist", vec![c]),
        ("frist-der", vec![b]),
        ("klag", vec![]),
        ("klage absent", vec![]),
    ] {
        if is_asked(query) {
            assert_eq!(found(app, user, query).await, expected, "{query}");
        }
    }
}

#[tokio::test]
async fn any_script_is_searched_without_case_and_accents() {
    let app = app().await;
    let room = Room::new(app, 1).await;
    for (text, queries) in [
        ("Große Straße", vec!["STRASSE", "grosse"]),
        ("Ёлка и йод", vec!["елка", "ЙОД"]),
        ("Σίσυφος", vec!["ΣΙΣΥΦΟΣ"]),
        ("東京都に住む", vec!["東京", "住む", "京都"]),
        ("สวัสดีครับ", vec!["สวัสดี"]),
        ("שָׁלוֹם לכם", vec!["שלום"]),
        ("مُحَمَّد هنا", vec!["محمد"]),
        ("안녕하세요 여러분", vec!["여러분", "안녕*"]),
        ("gut gemacht 👍🏽", vec!["👍", "gemacht 👍"]),
        ("It’s C:\\temp 'x'", vec!["it's", "temp", "x"]),
    ] {
        room.say(app, room.users[0], text).await;
        for query in queries.into_iter().filter(|query| is_asked(query)) {
            assert_eq!(found(app, room.users[0], query).await, [text], "{query}");
        }
    }
    assert_eq!(found(app, room.users[0], "\"京東\"").await, [""; 0]);
}

#[tokio::test]
async fn an_edited_message_is_found_by_its_present_text_and_a_deleted_one_never() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let user = room.users[1];
    let said = room.say(app, room.users[0], "before everything").await;
    let path = format!("{}?userId={}", path_of(&said), room.users[0]);
    app.patch(&path, json!({ "content": "after everything" }))
        .await
        .expect_status(200);
    assert_eq!(found(app, user, "before").await, [""; 0]);
    assert_eq!(found(app, user, "after").await, ["after everything"]);
    assert_eq!(found(app, user, "everything").await, ["after everything"]);
    app.delete(&path).await.expect_status(204);
    assert_eq!(found(app, user, "after").await, [""; 0]);
    assert_eq!(found(app, user, "everything").await, [""; 0]);
}

#[tokio::test]
async fn a_system_message_is_found() {
    let app = app().await;
    let room = Room::new(app, 1).await;
    let path = format!("/api/v1/messages/conversations/{}/system-message", room.id);
    let body = json!({ "content": "The file was opened." });
    let message: Value = app.post(&path, body).await.expect_status(201).json();
    let answer = search_as(app, room.users[0], "opened").await;
    assert_eq!(results(&answer)[0]["message"], message);
}

#[tokio::test]
async fn phrases_are_exact_in_a_message_with_more_positions_than_the_index_has() {
    let app = app().await;
    let room = Room::new(app, 1).await;
    let user = room.users[0];
    let long = "la ".repeat(300) + "finale grande";
    room.say(app, user, &long).await;
    assert_eq!(found(app, user, "\"la finale\"").await, [&*long]);
    assert_eq!(found(app, user, "\"finale la\"").await, [""; 0]);
    assert_eq!(found(app, user, "grande -\"la finale\"").await, [""; 0]);
    assert_eq!(found(app, user, "grande -\"finale la\"").await, [&*long]);
}

#[tokio::test]
async fn the_longest_contents_are_posted_and_found() {
    let app = app().await;
    let room = Room::new(app, 1).await;
    let words: String = (0..2600).map(|n| format!("w{n} ")).collect();
    for text in [
        "\u{fdfa}".repeat(5461),
        "é".repeat(8192),
        words,
        "'\\".repeat(8192),
    ] {
        let answer = room.post(app, room.users[0], &text).await;
        answer.expect_status(201);
    }
    assert_eq!(found(app, room.users[0], "w2599 w0").await.len(), 1);
}

#[tokio::test]
async fn what_is_no_query_is_refused_by_the_name_of_its_parameter() {
    let app = app().await;
    let user = Room::new(app, 1).await.users[0].to_string();
    let long = "x".repeat(1025);
    for (name, value) in [
        ("q", ""),
        ("q", "-a"),
        ("q", "!!! \"\""),
        ("q", &*long),
        ("conversationId", "x"),
        ("senderId", "0"),
        ("from", "yesterday"),
        ("to", "2026-01-01"),
        ("sort", "oldest"),
        ("limit", "0"),
        ("limit", "101"),
        ("cursor", "x"),
        ("cursor", "newest-1-1"),
    ] {
        let mut parameters = vec![("userId", &*user), (name, value)];
        if name != "q" {
            parameters.push(("q", "a"));
        }
        let problem = ask(app, &parameters).await.expect_status(400).json();
        assert_eq!(problem["errors"][0]["field"], name, "{value}: {problem}");
    }
    let missing = ask(app, &[("userId", &user)]).await.expect_status(400);
    assert_eq!(missing.json()["errors"][0]["field"], "q");
    let nothing = ask(app, &[("userId", &user), ("q", "a")]).await;
    assert_eq!(contents(&nothing.expect_status(200).json()), [""; 0]);
}
