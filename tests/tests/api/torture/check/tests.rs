//! Every comparison finds what is wrong: observations that are right, and each of them spoiled.

use std::collections::{BTreeMap, BTreeSet};

use ::tests::{Room, path_of};
use serde_json::json;
use testkit::App;

use super::super::audit;
use super::super::history::{Attempt, History, Kind, Outcome, Shown, View};
use super::super::model::Fold;
use super::super::reader::{Feed, Item, Reader, Readers, Received, What};
use super::super::truth::{self, Change, Conversation, Truth};
use super::super::world::now;
use super::timeline::Timeline;
use super::{Violations, feeds, lists, log, promises, tables, views};

/// Longer than anything may be on its way, in microseconds.
const LATER: i64 = 100_000_000;

/// What happened in one conversation: two messages, one edited, and a third user who left before the
/// last of three.
struct Scene {
    app: App,
    users: Vec<i64>,
    id: i64,
    truth: Truth,
    attempts: Vec<Attempt>,
}

impl Scene {
    async fn play() -> Self {
        let app = App::builder().own_stores().spawn().await;
        audit::install(&app.postgres().await).await;
        let room = Room::new(&app, 3).await;
        let (users, mut attempts) = (room.users.clone(), Vec::new());
        let mut done = |kind, user, message: &serde_json::Value, text, sent| {
            attempts.push(Attempt {
                kind,
                conversation: room.id,
                user: Some(user),
                message: message["id"].as_i64(),
                text,
                sent,
                answered: now(),
                outcome: Outcome::Done(200),
            });
        };
        let mut sent = now();
        let first = room.say(&app, users[0], "text 1").await;
        done(Kind::Post, users[0], &first, Some(1), sent);
        sent = now();
        let second = room.say(&app, users[1], "text 2").await;
        done(Kind::Post, users[1], &second, Some(2), sent);
        sent = now();
        let edit = app.request(reqwest::Method::PATCH, &path_of(&first));
        let edit = edit.json(&json!({ "content": "text 3", "senderId": users[0] }));
        testkit::send(edit).await.expect_status(200);
        done(Kind::Edit, users[0], &first, Some(3), sent);
        sent = now();
        let read = format!(
            "{}/read",
            path_of(&second).replace("/api/v1/messages/", "/api/v1/messages/messages/")
        );
        let body = json!({ "userId": users[0] });
        app.post(&read, &body).await.expect_status(200);
        done(Kind::Read, users[0], &second, None, sent);
        sent = now();
        let leave = format!(
            "/api/v1/conversations/{}/participants/{}",
            room.id, users[2]
        );
        app.delete(&leave).await.expect_status(204);
        done(Kind::Leave, users[2], &json!({}), None, sent);
        sent = now();
        let third = room.say(&app, users[1], "text 4").await;
        done(Kind::Post, users[1], &third, Some(4), sent);
        let truth = truth::read(&app.postgres().await).await;
        let id = room.id;
        Self {
            app,
            users,
            id,
            truth,
            attempts,
        }
    }

    fn conversation(&self) -> &Conversation {
        &self.truth[&self.id]
    }

    fn spoiled(&self, spoil: impl FnOnce(&mut Conversation)) -> Conversation {
        let mut spoiled = self.conversation().clone();
        spoil(&mut spoiled);
        spoiled
    }

    fn shown(&self) -> Vec<Shown> {
        let texts = [Some(3), Some(2), Some(4)];
        let rows = self.conversation().messages.iter().zip(texts);
        rows.map(|(row, text)| Shown {
            id: row.id,
            ordinal: row.ordinal,
            text,
        })
        .collect()
    }

    /// What a feed says that says everything.
    fn items(&self) -> Vec<Item> {
        let shown = self.shown();
        let (start, end) = (self.attempts[0].sent - LATER, now());
        let item = |what, id: String, received| Item {
            what,
            id: Some(id),
            opened: start,
            received,
        };
        let event = |(seq, change): &(i64, Change)| {
            let message = shown.iter().find(|shown| Some(shown.id) == change.message);
            What::Event(Received {
                kind: change.kind.clone(),
                conversation: Some(self.id),
                seq: Some(*seq),
                user: change.user,
                message: message.copied(),
                count: None,
            })
        };
        let mut items = vec![item(What::Start, "0".into(), start)];
        let events = self.conversation().events.iter();
        items.extend(events.map(|of| item(event(of), of.0.to_string(), end)));
        let unread = self.conversation().unread[&self.users[0]];
        let unread = What::Event(Received {
            kind: "unread-count".into(),
            conversation: Some(self.id),
            seq: None,
            user: None,
            message: None,
            count: Some(unread),
        });
        items.push(item(unread, "unread".into(), end));
        items
    }

    fn found_in_feed(&self, feed: Feed, items: Vec<Item>) -> BTreeSet<&'static str> {
        let readers = Readers::default();
        readers.add(Reader::that_received(feed, items));
        let folds = BTreeMap::from([(self.id, Fold::of(self.conversation()))]);
        let timeline = Timeline::of(&self.attempts, &self.truth);
        let mut violations = Violations::default();
        feeds::check(&readers, &self.truth, &folds, &timeline, &mut violations);
        violations.checks()
    }

    /// A list as it was shown to a user long after all of it.
    fn view(&self, viewer: i64) -> View {
        View {
            conversation: self.id,
            viewer: Some(viewer),
            sent: now() + LATER,
            answered: now() + LATER + 1,
            status: 200,
            is_list: true,
            is_cached: true,
            messages: self.shown(),
        }
    }

    fn found_in_view(&self, view: View) -> BTreeSet<&'static str> {
        let history = History::default();
        for attempt in &self.attempts {
            history.attempted(attempt.clone());
        }
        history.viewed(view);
        let timeline = Timeline::of(&self.attempts, &self.truth);
        let mut violations = Violations::default();
        views::check(&history, &timeline, &self.truth, &mut violations);
        violations.checks()
    }

    async fn found_by_requests(&self, conversation: &Conversation) -> BTreeSet<&'static str> {
        let mut violations = Violations::default();
        let truth = Truth::from([(self.id, conversation.clone())]);
        lists::check_on(&self.app, conversation, &mut violations).await;
        lists::check_user(&self.app, self.users[0], &truth, &mut violations).await;
        violations.checks()
    }
}

fn event_of(item: &mut Item) -> &mut Received {
    match &mut item.what {
        What::Event(event) => event,
        other => panic!("no event: {other:?}"),
    }
}

fn only(check: &'static str) -> BTreeSet<&'static str> {
    BTreeSet::from([check])
}

#[tokio::test]
async fn a_spoiled_feed_is_found() {
    let scene = Scene::play().await;
    let user = Feed::User(scene.users[0]);
    let found = |spoil: fn(&mut Vec<Item>)| {
        let mut items = scene.items();
        spoil(&mut items);
        scene.found_in_feed(user, items)
    };
    assert_eq!(found(|_| ()), BTreeSet::new());
    let twice = found(|items| items[3].id = items[2].id.clone());
    assert_eq!(twice, only("feeds: id twice"));
    let order = found(|items| items.swap(2, 3));
    assert_eq!(order, only("feeds: order"));
    let event = found(|items| event_of(&mut items[2]).kind = "message-edited".into());
    assert_eq!(event, only("feeds: event"));
    let invented = found(|items| event_of(&mut items[2]).seq = Some(99));
    assert!(invented.contains("feeds: event"));
    let missing = found(|items| drop(items.remove(3)));
    assert_eq!(missing, only("feeds: complete"));
    let old = found(|items| {
        items[2].received += LATER;
        let message = event_of(&mut items[2]).message.as_mut();
        message.expect("a message").text = Some(1);
    });
    assert_eq!(old, only("feeds: text"));
    let count = found(|items| event_of(items.last_mut().expect("an item")).count = Some(7));
    assert_eq!(count, only("feeds: unread"));
    let left = scene.found_in_feed(Feed::User(scene.users[2]), scene.items());
    assert!(left.contains("feeds: right"), "{left:?}");
    let conversation = Feed::Conversation(scene.id, None);
    let mut items = scene.items();
    items[0].what = What::Resync;
    let resync = scene.found_in_feed(conversation, items);
    assert_eq!(resync, only("feeds: resync"));
}

#[tokio::test]
async fn a_spoiled_view_is_found() {
    let scene = Scene::play().await;
    let (user, left) = (scene.users[0], scene.users[2]);
    let found = |viewer: i64, spoil: fn(&mut View)| {
        let mut view = scene.view(viewer);
        spoil(&mut view);
        scene.found_in_view(view)
    };
    assert_eq!(found(user, |_| ()), BTreeSet::new());
    let old = found(user, |view| view.messages[0].text = Some(1));
    assert_eq!(old, only("views: text"));
    let gap = found(user, |view| _ = view.messages.remove(1));
    assert_eq!(gap, only("views: gap"));
    let newest = found(user, |view| _ = view.messages.pop());
    assert_eq!(newest, only("views: newest"));
    assert_eq!(found(left, |_| ()), only("views: right"));
    assert_eq!(found(user, |view| view.status = 404), only("views: right"));
}

#[tokio::test]
async fn a_spoiled_log_and_spoiled_tables_are_found() {
    let scene = Scene::play().await;
    let found = |spoil: fn(&mut Conversation)| {
        let spoiled = scene.spoiled(spoil);
        let mut violations = Violations::default();
        log::check(&spoiled, &mut violations);
        tables::check(&spoiled, &Fold::of(scene.conversation()), &mut violations);
        violations.checks()
    };
    assert_eq!(found(|_| ()), BTreeSet::new());
    assert_eq!(found(|of| of.events[2].0 = 2), only("log: seqs"));
    let unseen = found(|of| drop(of.audit.remove(2)));
    assert_eq!(unseen, only("log: an event for each change"));
    let spoils: [fn(&mut Conversation); 7] = [
        |of| of.message_count += 1,
        |of| of.list_seq -= 1,
        |of| _ = of.reads.pop_last(),
        |of| of.messages[1].is_deleted = true,
        |of| _ = of.former.pop_last(),
        |of| *of.unread.values_mut().next().expect("a count") += 1,
        |of| of.participants.values_mut().next().expect("one").sent_after -= 9,
    ];
    for spoil in spoils {
        assert_eq!(found(spoil), only("tables"));
    }
}

#[tokio::test]
async fn a_promise_that_is_not_kept_is_found() {
    let scene = Scene::play().await;
    let found = |spoil: &dyn Fn(&mut Vec<Attempt>)| {
        let mut attempts = scene.attempts.clone();
        spoil(&mut attempts);
        let mut violations = Violations::default();
        promises::check(&attempts, &scene.truth, &mut violations);
        violations.checks()
    };
    assert_eq!(found(&|_| ()), BTreeSet::new());
    assert_eq!(found(&|of| of[0].text = Some(77)), only("promises"));
    let refused = found(&|of| of[0].outcome = Outcome::Refused(404));
    assert_eq!(refused, only("promises"));
    let another = scene.attempts[1].message;
    assert_eq!(found(&|of| of[0].message = another), only("promises"));
    let stranger = Some(scene.users[1]);
    assert_eq!(found(&|of| of[4].user = stranger), only("promises"));
}

#[tokio::test]
async fn spoiled_responses_are_found() {
    let scene = Scene::play().await;
    let found = async |spoil: fn(&mut Conversation)| {
        let spoiled = scene.spoiled(spoil);
        scene.found_by_requests(&spoiled).await
    };
    assert_eq!(found(|_| ()).await, BTreeSet::new());
    let shorter = found(|of| drop(of.messages.pop())).await;
    assert!(shorter.is_superset(&BTreeSet::from([
        "list",
        "pages",
        "conversations of a user"
    ])));
    let changed = found(|of| of.messages[0].json = of.messages[0].json.replace("text 3", "text 1"));
    assert!(changed.await.contains("message"));
    let title = found(|of| of.json = of.json.replacen("null", "\"other\"", 1)).await;
    assert_eq!(title, only("conversation"));
    let read = found(|of| of.reads = of.reads.iter().map(|(user, _)| (*user, 3)).collect());
    assert_eq!(read.await, only("receipts"));
}
