use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::content::{Content, Title};
use crate::ids::{ConversationId, UserId};

fn named(id: &str, byte: u8) -> Value {
    json!({ "id": id, "key": BASE64.encode([byte; 32]) })
}

fn keys(ids: &[(&str, u8)]) -> Keys {
    let list: Vec<Value> = ids.iter().map(|(id, byte)| named(id, *byte)).collect();
    Keys::parse(&json!(list).to_string()).expect("keys")
}

fn content(conversation: i64, sender: i64) -> Binding {
    let conversation = ConversationId::try_from(conversation).expect("an id");
    Binding::Content(conversation, UserId::try_from(sender).ok())
}

/// A message as PostgreSQL has it, with this text.
fn message(conversation: i64, sender: Option<i64>, text: &str) -> String {
    let (sender, text) = (json!(sender), json!(text));
    format!(
        r#"{{"id":9,"conversationId":{conversation},"ordinal":4,"senderId":{sender},"kind":"user","content":{text},"clientMessageId":"a","createdAt":"2026-01-01T00:00:00.000Z"}}"#
    )
}

proptest! {
    #[test]
    fn any_text_is_sealed_and_opened(text: String, conversation in 1..99i64, sender in 0..99i64) {
        let (keys, place) = (keys(&[("k", 1)]), content(conversation, sender));
        let sealed = keys.seal(text.clone(), place);
        let is_printable = sealed[1..].bytes().all(|byte| byte.is_ascii_graphic());
        prop_assert!(sealed.starts_with(MARK) && is_printable);
        prop_assert_eq!(keys.open_text(&sealed, place), Opened::Text(text));
    }

    #[test]
    fn any_text_survives_its_json_in_both_modes(text: String, sender in proptest::option::of(1..99i64)) {
        let place = content(7, sender.unwrap_or(0));
        let clear = message(7, sender, &text);
        for keys in [Keys::default(), keys(&[("k", 1)])] {
            let stored = message(7, sender, &keys.seal(text.clone(), place));
            prop_assert_eq!(keys.is_on(), stored != clear);
            prop_assert_eq!(keys.open(stored), clear.clone());
        }
    }

    #[test]
    fn a_text_that_a_user_may_post_is_never_taken_for_a_sealed_one(
        start in "\"?\\\\?(u0001|\u{1})?(sealed1:)?(k:)?", rest in "\\PC{0,40}",
    ) {
        let text = start + &rest;
        if let Ok(content) = Content::parse(text.clone(), 1000) {
            prop_assert!(!content.as_str().starts_with(MARK));
            // Where it was written before there were keys.
            let stored = message(7, Some(2), content.as_str());
            prop_assert_eq!(keys(&[("k", 1)]).open(stored.clone()), stored);
        }
        if let Ok(title) = Title::parse(text) {
            prop_assert!(!title.into_string().starts_with(MARK));
        }
    }

    #[test]
    fn a_text_that_was_changed_does_not_open(
        text in ".{0,40}", at: prop::sample::Index, to in "[A-Za-z0-9_-]",
    ) {
        let (keys, place) = (keys(&[("k", 1)]), content(7, 2));
        let sealed = keys.seal(text, place);
        let mut changed = sealed.clone();
        let at = MARK.len() + at.index(sealed.len() - MARK.len());
        changed.replace_range(at..=at, &to);
        // The last character may have bits that are not a part of the bytes; those are refused too.
        let opened = keys.open_text(&changed, place);
        prop_assert!(changed == sealed || matches!(opened, Opened::Unreadable(_)));
    }

    #[test]
    fn a_text_that_was_moved_does_not_open(text: String, from in (1..9i64, 0..9i64), to in (1..9i64, 0..9i64)) {
        let keys = keys(&[("k", 1)]);
        let sealed = keys.seal(text.clone(), content(from.0, from.1));
        let opened = keys.open_text(&sealed, content(to.0, to.1));
        prop_assert_eq!(opened == Opened::Text(text), from == to);
        let title = Binding::Title(ConversationId::try_from(from.0).unwrap());
        prop_assert!(matches!(keys.open_text(&sealed, title), Opened::Unreadable(_)));
    }

    #[test]
    fn any_json_with_a_mark_is_passed_on(before: String, behind: Vec<u8>) {
        let mut json = before.into_bytes();
        json.extend_from_slice(br#""\u0001sealed1:"#);
        json.extend_from_slice(&behind);
        let _ = keys(&[("k", 1)]).open_bytes(json);
    }

    #[test]
    fn any_text_is_keys_or_refused_without_showing_it(text: String) {
        if let Err(reason) = Keys::parse(&text) {
            let shown = reason.to_string();
            prop_assert!(text.len() < 20 || !shown.contains(&text));
        }
    }
}

#[test]
fn the_first_key_seals_and_all_open() {
    let (old, new) = (keys(&[("old", 1)]), keys(&[("new", 2), ("old", 1)]));
    let sealed = old.seal("text".into(), content(7, 2));
    assert_eq!(
        new.open_text(&sealed, content(7, 2)),
        Opened::Text("text".into())
    );
    assert!(old.is_sealed_by_first(&sealed) && !new.is_sealed_by_first(&sealed));
    let sealed = new.seal("text".into(), content(7, 2));
    assert!(new.is_sealed_by_first(&sealed));
    let unreadable = Unreadable::NoKey("new".into());
    assert_eq!(
        old.open_text(&sealed, content(7, 2)),
        Opened::Unreadable(unreadable)
    );
}

#[test]
fn a_key_of_the_same_name_is_not_the_same_key() {
    let sealed = keys(&[("k", 1)]).seal("text".into(), content(7, 2));
    let opened = keys(&[("k", 2)]).open_text(&sealed, content(7, 2));
    assert!(matches!(
        opened,
        Opened::Unreadable(Unreadable::Changed {
            conversation: 7,
            ..
        })
    ));
}

#[test]
fn a_text_is_sealed_differently_each_time_but_for_a_change_to_it() {
    let (keys, place) = (keys(&[("k", 1)]), content(7, 2));
    assert_ne!(keys.seal("a".into(), place), keys.seal("a".into(), place));
    let again = |number, text| keys.seal_again(None, number, text, place);
    assert_eq!(again(1, "a"), again(1, "a"));
    assert_ne!(again(1, "a"), again(2, "a"));
    assert_ne!(again(1, "a"), again(1, "b"));
    assert_eq!(
        keys.open_text(&again(1, "a"), place),
        Opened::Text("a".into())
    );
    for present in ["a".to_owned(), keys.seal("a".into(), place)] {
        let same = keys.seal_again(Some(present.clone()), 1, "a", place);
        assert_eq!(same, present);
        assert_eq!(keys.seal_again(Some(present), 1, "b", place), again(1, "b"));
    }
}

#[test]
fn a_content_that_does_not_open_is_null_and_hides_nothing_else() {
    let (old, new) = (keys(&[("old", 1)]), keys(&[("new", 2)]));
    let stored = [
        message(7, Some(2), &old.seal("a".into(), content(7, 2))),
        message(7, Some(2), &new.seal("b".into(), content(7, 2))),
        message(8, Some(2), &new.seal("moved".into(), content(7, 2))),
        message(7, None, &new.seal("not the system's".into(), content(7, 2))),
        message(7, None, &new.seal("the system's".into(), content(7, 0))),
        message(7, Some(2), "plain"),
    ];
    let opened: Value = serde_json::from_str(&new.open(format!("[{}]", stored.join(",")))).unwrap();
    let expected = [
        None,
        Some("b"),
        None,
        None,
        Some("the system's"),
        Some("plain"),
    ];
    for (message, expected) in opened.as_array().unwrap().iter().zip(expected) {
        assert_eq!(message["content"].as_str(), expected);
        assert_eq!(message.get("unreadable").is_some(), expected.is_none());
        assert_eq!(message["clientMessageId"], "a");
    }
    // Also where all keys are gone.
    let nothing = Keys::default().open(stored[0].clone());
    assert!(
        nothing.contains(r#""content":null,"unreadable":true,"#),
        "{nothing}"
    );
}

#[test]
fn what_was_opened_lately_is_opened_in_its_place_only() {
    let keys = keys(&[("k", 1)]);
    let sealed = keys.seal("text \"quoted\"".into(), content(7, 2));
    let clear = message(7, Some(2), "text \"quoted\"");
    let (own, moved) = (message(7, Some(2), &sealed), message(8, Some(2), &sealed));
    for _ in 0..3 {
        assert_eq!(keys.open(own.clone()), clear);
        assert!(keys.open(moved.clone()).contains("\"unreadable\":true"));
    }
    // More than is kept: the first texts are opened again.
    let many: Vec<(String, String)> = (0..1200)
        .map(|n| (n, "x".repeat(1000) + &n.to_string()))
        .map(|(n, text)| {
            (
                keys.seal(text.clone(), content(7, n % 3 + 1)),
                message(7, Some(n % 3 + 1), &text),
            )
        })
        .collect();
    for (n, (sealed, clear)) in (0..).zip(many.iter().chain(&many[..3])) {
        assert_eq!(&keys.open(message(7, Some(n % 3 + 1), sealed)), clear);
    }
}

#[test]
fn json_that_names_no_place_is_opened_in_the_one_that_is_given() {
    let keys = keys(&[("k", 1)]);
    let json = |text: &str| format!(r#"[{{"revision" : 1, "content" : {}}}]"#, json!(text));
    let stored = json(&keys.seal("text".into(), content(7, 2)));
    assert_eq!(keys.open_in(stored.clone(), content(7, 2)), json("text"));
    assert!(
        keys.open_in(stored, content(7, 3))
            .contains(r#""content" : null,"unreadable":true"#)
    );
}

#[test]
fn a_title_is_opened_in_its_conversation() {
    let keys = keys(&[("k", 1)]);
    let id = |id: i64| ConversationId::try_from(id).unwrap();
    let title = keys.seal("Müller ./. \"Maier\"".into(), Binding::Title(id(7)));
    let last = message(7, Some(2), &keys.seal("last".into(), content(7, 2)));
    let stored = |number: i64| {
        let title = json!(title);
        format!(r#"{{"id":{number},"title":{title},"participantIds":[1,2],"lastMessage":{last}}}"#)
    };
    let opened: Value = serde_json::from_str(&keys.open(stored(7))).unwrap();
    assert_eq!(opened["title"], "Müller ./. \"Maier\"");
    assert_eq!(opened["lastMessage"]["content"], "last");
    let opened: Value = serde_json::from_str(&keys.open(stored(8))).unwrap();
    assert_eq!(
        (&opened["title"], &opened["unreadable"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(opened["lastMessage"]["content"], "last");
}

#[test]
fn a_changed_text_with_escapes_takes_nothing_else_with_it() {
    let stored = message(7, Some(2), &format!("{MARK}k:a\"b\\"));
    let opened: Value = serde_json::from_str(&keys(&[("k", 1)]).open(stored)).unwrap();
    assert_eq!(opened["unreadable"], true);
    assert_eq!(opened["createdAt"], "2026-01-01T00:00:00.000Z");
}

#[test]
fn keys_are_a_list_of_names_and_32_bytes() {
    assert!(!Keys::parse(" ").unwrap().is_on() && !Keys::parse("[]").unwrap().is_on());
    let unpadded =
        json!([{ "id": "a.b-c_1", "key": BASE64.encode([1; 32]).trim_end_matches('=') }]);
    assert!(Keys::parse(&unpadded.to_string()).unwrap().is_on());
    let key = BASE64.encode([1; 32]);
    for (list, reason) in [
        (json!({}), InvalidKeys::Form),
        (json!([{ "id": "a" }]), InvalidKeys::Form),
        (json!([{ "id": "a", "key": 1 }]), InvalidKeys::Form),
        (
            json!([{ "id": "a", "key": key, "x": 1 }]),
            InvalidKeys::Form,
        ),
        (json!([{ "id": "", "key": key }]), InvalidKeys::Id(1)),
        (json!([{ "id": "a:b", "key": key }]), InvalidKeys::Id(1)),
        (
            json!([named("a", 1), named("a", 2)]),
            InvalidKeys::Repeated(2),
        ),
        (
            json!([named("a", 1), { "id": "b", "key": "c2hvcnQ=" }]),
            InvalidKeys::Key(2),
        ),
        (
            json!([{ "id": "a", "key": "not base64!" }]),
            InvalidKeys::Key(1),
        ),
        (json!(vec![named("a", 1); 9]), InvalidKeys::TooMany),
    ] {
        assert_eq!(Keys::parse(&list.to_string()).err(), Some(reason), "{list}");
    }
    assert_eq!(Keys::parse("x").err(), Some(InvalidKeys::Form));
}

#[test]
fn a_digest_is_recognised_in_each_form() {
    let (old, new) = (keys(&[("old", 1)]), keys(&[("new", 2), ("old", 1)]));
    let digest = Digest::of("text");
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let sealed = hexadecimal(old.seal_digest(digest).unwrap().as_bytes());
    assert!(new.is_digest(&sealed, digest) && !new.is_digest(&sealed, Digest::of("other")));
    assert!(new.is_digest(&hexadecimal(&digest.to_bytes()), digest));
    assert!(!keys(&[("new", 2)]).is_digest(&sealed, digest));
    for other in ["", "00", "zz", "é"] {
        assert!(!new.is_digest(other, digest));
    }
    assert_eq!(Keys::default().seal_digest(digest), None);
}

#[test]
fn a_lexeme_has_a_code_of_its_own_by_each_key() {
    let (plain, old, both) = (
        Keys::default(),
        keys(&[("old", 1)]),
        keys(&[("new", 2), ("old", 1)]),
    );
    assert_eq!(plain.lexeme_form().of("frist"), "frist");
    let code = old.lexeme_form().of("frist");
    assert_eq!(code.len(), 12);
    assert_ne!(code, old.lexeme_form().of("fristen"));
    let forms: Vec<_> = both.lexeme_forms().map(|form| form.of("frist")).collect();
    assert_eq!(forms, [both.lexeme_form().of("frist"), code]);
}
