//! Searching messages, and going to one in its place.

use serde_json::json;
use testkit::{app, wait_for};
use tests::Room;
use thirtyfour::Key;

use crate::browser::{Browser, Screen, entry};
use crate::{TIMEOUT, name, open_room};

const MESSAGES: usize = 200;

/// A conversation with many messages, of which the twentieth says something else. The first user posts.
async fn long_room() -> Room {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for n in 1..=MESSAGES {
        let text = match n {
            20 => "The Überweisung went to Łódź.".to_owned(),
            n => format!("Note {n}"),
        };
        room.say(app, room.users[0], &text).await;
    }
    room
}

impl Browser {
    /// Waits until the message that was looked for has the focus in the middle of its neighbours.
    async fn is_at_the_transfer(&self) {
        self.focuses(".message:focus").await;
        let text = "return document.activeElement.querySelector('.content').textContent;";
        assert_eq!(
            self.run(text, json!(null)).await,
            json!("The Überweisung went to Łódź.")
        );
        let texts = self.texts(".content").await;
        let at = texts.iter().position(|text| text.starts_with("The"));
        let at = at.expect("the message");
        assert_eq!(texts[at - 1], "Note 19");
        assert_eq!(texts[at + 1], "Note 21");
        let in_view = "const { top, bottom } = document.activeElement.getBoundingClientRect();
            const frame = document.getElementById('log-scroll').getBoundingClientRect();
            return top >= frame.top && bottom <= frame.bottom;";
        assert_eq!(self.run(in_view, json!(null)).await, json!(true));
    }

    /// Scrolls the messages to the end of what is loaded.
    async fn scroll_down(&self) {
        let scroll = "const log = document.getElementById('log-scroll');
            log.scrollTop = log.scrollHeight;";
        self.run(scroll, json!(null)).await;
    }
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_result_shows_its_match_and_leads_to_the_message_in_its_place() {
    let app = app().await;
    let room = long_room().await;
    let page = open_room(app, &room, room.users[1]).await;
    page.write("#search", "uberweisung lodz").await;
    page.reads(".result mark", &["Überweisung", "Łódź"]).await;
    page.reads(".result-title", &[name(room.users[0])]).await;
    page.reads(
        ".result-text",
        &[format!(
            "{}: The Überweisung went to Łódź.",
            name(room.users[0])
        )],
    )
    .await;
    page.reads("#announcer", &["1 message found."]).await;
    page.hides(".conversation").await;

    page.click(".result").await;
    page.shows(".message.found").await;
    page.is_at_the_transfer().await;
    page.hides(".message.found").await;

    // Messages that come at the end are not shown between those further up.
    room.say(app, room.users[0], "The newest").await;
    page.is_titled("(1) LexiFlow Messaging").await;
    assert!(
        !page
            .texts(".content")
            .await
            .contains(&"The newest".to_owned())
    );
    let scroll = async || {
        page.scroll_down().await;
        page.texts(".message:last-child .content").await
    };
    wait_for("the end is loaded", TIMEOUT, scroll, |last| {
        *last == ["The newest"]
    })
    .await;
    let all: Vec<String> = (1..=MESSAGES)
        .map(|n| match n {
            20 => "The Überweisung went to Łódź.".to_owned(),
            n => format!("Note {n}"),
        })
        .chain(["The newest".to_owned()])
        .collect();
    page.scroll_down().await;
    page.reads(".content", &all).await;
    page.hides("#to-newest").await;

    page.click(".result").await;
    page.is_at_the_transfer().await;
    page.reload().await;
    page.shows(".message.found").await;
    page.is_at_the_transfer().await;
    page.click("#to-newest").await;
    page.reads(".message:last-child .content", &["The newest"])
        .await;
    page.hides("#to-newest").await;
    page.hides(".message.found").await;
    page.has_a_clean_log().await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_message_that_is_sent_from_further_up_comes_behind_the_newest() {
    let app = app().await;
    let room = long_room().await;
    let page = open_room(app, &room, room.users[1]).await;
    page.write("#search", "lodz").await;
    page.click(".result").await;
    page.is_at_the_transfer().await;
    page.say("Thank you.").await;
    page.reads(".message:last-child .content", &["Thank you."])
        .await;
    // The messages before it come when they are loaded.
    let newest = format!("Note {MESSAGES}");
    page.reads(".message:nth-last-child(2) .content", &[newest])
        .await;
    let texts = page.texts(".content").await;
    assert!(!texts.contains(&"Note 19".to_owned()));
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_search_is_of_one_conversation_or_all_in_either_order_and_has_pages() {
    let app = app().await;
    let one = Room::new(app, 2).await;
    let two = Room::of(app, one.users.clone()).await;
    for n in 1..=24 {
        one.say(app, one.users[0], &format!("Deed {n}")).await;
    }
    two.say(app, two.users[1], "Deed, deed, deed").await;
    let page = open_room(app, &one, one.users[0]).await;
    page.write("#search", "deed").await;
    page.reads(
        "li:first-child > .result .result-excerpt",
        &["Deed, deed, deed"],
    )
    .await;
    let shown = async || page.texts(".result").await.len();
    assert_eq!(shown().await, 20);
    page.click("#search-more button").await;
    page.hides("#search-more button").await;
    assert_eq!(shown().await, 25);

    page.choose("#search-scope", 1).await;
    page.reads("li:first-child > .result .result-excerpt", &["Deed 24"])
        .await;
    page.choose("#search-sort", 1).await;
    page.reads("li:nth-child(2) > .result .result-excerpt", &["Deed 23"])
        .await;
    page.click("#search-clear").await;
    page.shows(&entry(two.id)).await;
    page.focuses("#search").await;
    page.click("#search-here").await;
    page.focuses("#search").await;
    page.write("#search", "deed 3").await;
    page.reads(".result-excerpt", &["Deed 3"]).await;
    page.has_a_clean_log().await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_search_is_made_by_keyboard() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    for text in ["First draft", "Second draft", "Other"] {
        room.say(app, room.users[0], text).await;
    }
    let page = open_room(app, &room, room.users[1]).await;
    page.run("document.getElementById('search').focus();", json!(null))
        .await;
    page.type_text("-draft").await;
    page.reads(
        "#search-notice p",
        &["The search needs a word that is searched for."],
    )
    .await;
    page.press([Key::Escape]).await;
    page.focuses("#search").await;
    page.shows(&entry(room.id)).await;
    page.type_text("draft").await;
    page.reads(".result-excerpt", &["Second draft", "First draft"])
        .await;
    page.press([Key::Down]).await;
    page.focuses("li:first-child > .result").await;
    page.press([Key::Down]).await;
    page.focuses("li:nth-child(2) > .result").await;
    page.press([Key::Enter]).await;
    page.focuses(".message.found").await;
    page.press([Key::Escape]).await;
    page.focuses("#message").await;
    page.press([Key::Escape]).await;
    page.focuses(".result[aria-current='true']").await;
    page.press([Key::Escape]).await;
    page.focuses("#search").await;
    page.press([Key::Escape, Key::Escape]).await;
    page.focuses(&entry(room.id)).await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_search_on_a_phone_leads_to_the_message_and_back_to_the_results() {
    let app = app().await;
    let room = long_room().await;
    let page = Browser::start(Screen::Phone).await;
    page.open(app, room.users[1]).await;
    page.write("#search", "lodz").await;
    page.click(".result").await;
    page.hides(".list-pane").await;
    page.is_at_the_transfer().await;
    page.fits().await;
    page.click("#back").await;
    page.reads(".result mark", &["Łódź"]).await;
    page.fits().await;
    page.click("#search-clear").await;
    page.enter(room.id).await;
    page.click("#search-here").await;
    page.hides(".thread-pane").await;
    page.write("#search", "note 7").await;
    page.reads(".result-excerpt", &["Note 7"]).await;
    page.fits().await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn results_follow_deletions_and_markup_in_them_stays_text() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let text = "<b>contract</b> <img src=x onerror=\"document.title='owned'\">";
    room.say(app, room.users[0], text).await;
    let message = room.say(app, room.users[0], "Contract to delete").await;
    let page = open_room(app, &room, room.users[1]).await;
    page.write("#search", "contract").await;
    page.reads(".result-excerpt", &["Contract to delete", text])
        .await;
    page.reads(".result mark", &["Contract", "contract"]).await;
    page.hides(".result b, .result img").await;
    let path = format!("{}?userId={}", tests::path_of(&message), room.users[0]);
    app.delete(&path).await.expect_status(204);
    page.reads(".result-excerpt", &[text]).await;
    page.is_titled("LexiFlow Messaging").await;
    page.has_a_clean_log().await;
}
