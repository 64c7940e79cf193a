//! Two users in a conversation.

use serde_json::json;
use testkit::app;
use tests::Room;

use crate::browser::{Browser, Screen, entry};
use crate::{name, open_for_two, open_room};

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_message_is_unread_then_read_and_answered() {
    let app = app().await;
    let (room, one, two) = open_for_two(app).await;
    let badge = format!("{} .badge", entry(room.id));

    two.press([thirtyfour::Key::Escape]).await;
    two.run("location.hash = '';", json!(null)).await;
    one.say("The hearing is moved to Friday.").await;
    two.reads(&badge, &["1"]).await;
    two.reads(
        &format!("{} .conversation-preview", entry(room.id)),
        &[format!(
            "{}: The hearing is moved to Friday.",
            name(room.users[0])
        )],
    )
    .await;
    two.is_titled("(1) LexiFlow Messaging").await;
    one.reads(".receipt", &["Sent"]).await;

    two.enter(room.id).await;
    two.reads(".content", &["The hearing is moved to Friday."])
        .await;
    two.hides(&badge).await;
    two.is_titled("LexiFlow Messaging").await;
    one.reads(".receipt", &[format!("Read by {}", name(room.users[1]))])
        .await;

    two.write("#message", "Thank").await;
    one.reads(
        "#typing-text",
        &[format!("{} is typing", name(room.users[1]))],
    )
    .await;
    two.say(" you.").await;
    one.reads(
        ".content",
        &["The hearing is moved to Friday.", "Thank you."],
    )
    .await;
    one.reads("#typing-text", &[""]).await;
    two.reads(
        ".content",
        &["The hearing is moved to Friday.", "Thank you."],
    )
    .await;
    for browser in [&one, &two] {
        browser.has_a_clean_log().await;
    }
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn presence_follows_a_page_that_is_left_and_opened_again() {
    let app = app().await;
    let (room, one, two) = open_for_two(app).await;
    let other = format!(".person.online[data-user='{}']", room.users[1]);
    one.shows(&other).await;
    one.shows(&format!("{} .dot", entry(room.id))).await;
    two.visit("about:blank").await;
    one.hides(&other).await;
    one.hides(&format!("{} .dot", entry(room.id))).await;
    two.open(app, room.users[1]).await;
    one.shows(&other).await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn edits_deletions_and_replies_reach_both_pages() {
    let app = app().await;
    let (room, one, two) = open_for_two(app).await;
    one.say("Clause 41").await;
    two.reads(".content", &["Clause 41"]).await;

    one.run(
        "document.querySelector('.message.own').focus();",
        json!(null),
    )
    .await;
    one.click(".message.own [aria-label='Edit']").await;
    one.say("\u{e003}\u{e003}14").await;
    two.reads(".content", &["Clause 14"]).await;
    two.reads(".mark", &["edited"]).await;

    two.run("document.querySelector('.message').focus();", json!(null))
        .await;
    two.click(".message [aria-label='Reply']").await;
    two.reads(
        "#context-title",
        &[format!("Reply to {}", name(room.users[0]))],
    )
    .await;
    two.say("Agreed.").await;
    one.reads(".content", &["Clause 14", "Agreed."]).await;
    one.reads(".quote-text", &["You: Clause 14"]).await;

    one.run(
        "document.querySelector('.message.own').focus();",
        json!(null),
    )
    .await;
    one.click(".message.own [aria-label='Delete']").await;
    one.click("#delete-dialog .danger").await;
    for browser in [&one, &two] {
        browser
            .reads(".content", &["This message was deleted.", "Agreed."])
            .await;
        browser.reads(".quote-text", &["Message deleted"]).await;
    }
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_new_conversation_reaches_the_other_page_with_its_first_message() {
    let app = app().await;
    let users = Room::new(app, 2).await.users;
    let one = Browser::start(Screen::Desktop).await;
    let two = Browser::start(Screen::Desktop).await;
    tokio::join!(one.open(app, users[0]), two.open(app, users[1]));

    one.click("#new-conversation").await;
    one.write("#new-subject", "Estate of Whitmore").await;
    one.write("#new-people", "two").await;
    one.click("#new-form [type='submit']").await;
    one.reads("#new-error", &["“two” is not a user number."])
        .await;
    one.run(
        "document.getElementById('new-people').value = arguments[0];",
        json!(users[1].to_string()),
    )
    .await;
    one.click("#new-form [type='submit']").await;
    one.reads("#thread-title", &["Estate of Whitmore"]).await;
    one.say("Probate is granted.").await;
    two.reads(
        ".conversation-title",
        &["Estate of Whitmore".to_owned(), name(users[0])],
    )
    .await;
    two.reads(".badge", &["1"]).await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn markup_in_a_message_stays_text() {
    let app = app().await;
    let room = Room::new(app, 2).await;
    let page = open_room(app, &room, room.users[0]).await;
    let text = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> & \u{202e}txt";
    room.say(app, room.users[1], text).await;
    page.reads(".content", &[text]).await;
    page.is_titled("LexiFlow Messaging").await;
    page.hides("#log img, #log script").await;
    page.has_a_clean_log().await;
}

#[tokio::test]
#[cfg_attr(feature = "no-browser", ignore = "no Chromium")]
async fn a_refused_message_shows_the_reason_and_can_be_discarded() {
    let app = app().await;
    let room = Room::new(app, 1).await;
    let page = open_room(app, &room, room.users[0]).await;
    page.run(
        "const field = document.getElementById('message');
         field.value = 'x'.repeat(20_000);
         field.dispatchEvent(new Event('input'));",
        json!(null),
    )
    .await;
    page.click("#send").await;
    let reason = "Not sent: content must be at most 16384 bytes. Try again Discard";
    page.reads(".receipt", &[reason]).await;
    page.say("Shorter.").await;
    page.reads(".receipt", &["Sent", reason]).await;
    page.click(".refused .link:last-child").await;
    page.reads(".content", &["Shorter."]).await;
    assert_eq!(room.messages(app, 10).await.len(), 1);
}
