//! Random sequences of changes, compared with a model after every step.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use testkit::{App, app, unique_user};
use tests::Room;

const USERS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Post { user: usize },
    Read { user: usize, message: usize },
    Edit { user: usize, message: usize },
    Delete { user: usize, message: usize },
    Join { user: usize },
    Leave { user: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let (user, message) = (0..USERS, 0..12_usize);
    prop_oneof![
        4 => user.clone().prop_map(|user| Step::Post { user }),
        3 => (user.clone(), message.clone()).prop_map(|(user, message)| Step::Read { user, message }),
        2 => (user.clone(), message.clone()).prop_map(|(user, message)| Step::Edit { user, message }),
        1 => (user.clone(), message).prop_map(|(user, message)| Step::Delete { user, message }),
        1 => user.clone().prop_map(|user| Step::Join { user }),
        1 => user.prop_map(|user| Step::Leave { user }),
    ]
}

#[derive(Debug, Clone)]
struct Message {
    id: i64,
    sender: usize,
    content: Option<String>,
}

/// The expected state of the service.
#[derive(Debug, Default)]
struct Model {
    messages: Vec<Message>,
    present: BTreeSet<usize>,
    /// How many messages each user has read, from the first; it outlives leaving.
    cursors: BTreeMap<usize, usize>,
}

impl Model {
    fn cursor(&self, user: usize) -> usize {
        self.cursors.get(&user).copied().unwrap_or(0)
    }

    fn unread(&self, user: usize) -> usize {
        let after = self.messages.iter().skip(self.cursor(user));
        after
            .filter(|message| message.sender != user && message.content.is_some())
            .count()
    }

    /// Which participants but the sender have read a message.
    fn readers(&self, index: usize) -> BTreeSet<usize> {
        let sender = self.messages[index].sender;
        self.present
            .iter()
            .copied()
            .filter(|&user| user != sender && self.cursor(user) > index)
            .collect()
    }
}

struct World<'a> {
    app: &'a App,
    room: Room,
    model: Model,
    edits: usize,
}

impl World<'_> {
    fn id(&self, user: usize) -> i64 {
        self.room.users[user]
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Post { user } => self.post(user).await,
            Step::Read { user, message } => self.read(user, message).await,
            Step::Edit { user, message } => self.edit(user, message).await,
            Step::Delete { user, message } => self.delete(user, message).await,
            Step::Join { user } => self.join(user).await,
            Step::Leave { user } => self.leave(user).await,
        }
    }

    async fn post(&mut self, user: usize) {
        let content = format!("message {}", self.model.messages.len());
        let answer = self.room.post(self.app, self.id(user), &content).await;
        if !self.model.present.contains(&user) {
            answer.expect_status(404);
            return;
        }
        let id = answer.expect_status(201).json()["id"]
            .as_i64()
            .expect("an id");
        self.model.messages.push(Message {
            id,
            sender: user,
            content: Some(content),
        });
    }

    async fn read(&mut self, user: usize, message: usize) {
        let Some(found) = self.model.messages.get(message).cloned() else {
            return;
        };
        let path = format!("/api/v1/messages/messages/{}/read", found.id);
        let answer = self
            .app
            .post(&path, json!({ "userId": self.id(user) }))
            .await;
        if !self.model.present.contains(&user) {
            answer.expect_status(404);
            return;
        }
        answer.expect_status(200);
        let cursor = self.model.cursor(user).max(message + 1);
        self.model.cursors.insert(user, cursor);
    }

    async fn edit(&mut self, user: usize, message: usize) {
        let Some(found) = self.model.messages.get(message).cloned() else {
            return;
        };
        self.edits += 1;
        let content = format!("edit {}", self.edits);
        let path = format!("/api/v1/messages/{}?userId={}", found.id, self.id(user));
        let status = self
            .app
            .patch(&path, json!({ "content": content }))
            .await
            .status();
        assert_eq!(status, self.may_change(user, &found, 200, 409));
        if status == 200 {
            self.model.messages[message].content = Some(content);
        }
    }

    async fn delete(&mut self, user: usize, message: usize) {
        let Some(found) = self.model.messages.get(message).cloned() else {
            return;
        };
        let path = format!("/api/v1/messages/{}?userId={}", found.id, self.id(user));
        let status = self.app.delete(&path).await.status();
        assert_eq!(status, self.may_change(user, &found, 204, 204));
        if status == 204 {
            self.model.messages[message].content = None;
        }
    }

    fn may_change(&self, user: usize, message: &Message, changed: u16, deleted: u16) -> u16 {
        match (
            self.model.present.contains(&user),
            message.sender == user,
            &message.content,
        ) {
            (false, ..) => 404,
            (_, false, _) => 403,
            (_, _, None) => deleted,
            _ => changed,
        }
    }

    async fn join(&mut self, user: usize) {
        let path = format!("/api/v1/conversations/{}/participants", self.room.id);
        let status = self
            .app
            .post(&path, json!({ "userId": self.id(user) }))
            .await
            .status();
        assert_eq!(
            status,
            if self.model.present.insert(user) {
                201
            } else {
                200
            }
        );
    }

    async fn leave(&mut self, user: usize) {
        let path = format!(
            "/api/v1/conversations/{}/participants/{}",
            self.room.id,
            self.id(user)
        );
        let status = self.app.delete(&path).await.status();
        assert_eq!(
            status,
            if self.model.present.remove(&user) {
                204
            } else {
                404
            }
        );
    }

    async fn compare(&self) {
        let list = self.room.messages(self.app, 100).await;
        let contents: Vec<Option<String>> = list
            .iter()
            .map(|message| message["content"].as_str().map(str::to_owned))
            .collect();
        let expected: Vec<Option<String>> = self
            .model
            .messages
            .iter()
            .map(|message| message.content.clone())
            .collect();
        assert_eq!(contents, expected, "the list");
        for user in 0..USERS {
            self.compare_unread(user).await;
        }
        if let Some(index) = self.model.messages.len().checked_sub(1) {
            self.compare_readers(index / 2).await;
            self.compare_readers(index).await;
        }
    }

    async fn compare_unread(&self, user: usize) {
        let id = self.id(user);
        let path = format!(
            "/api/v1/messages/users/{id}/unread-count?conversationId={}",
            self.room.id
        );
        let answer = self.app.get(&path).await;
        if self.model.present.contains(&user) {
            let count = answer.expect_status(200).json()["count"].clone();
            assert_eq!(
                count,
                json!(self.model.unread(user)),
                "unread of user {user}"
            );
        } else {
            answer.expect_status(404);
        }
    }

    async fn compare_readers(&self, index: usize) {
        let path = format!(
            "/api/v1/messages/messages/{}/receipts",
            self.model.messages[index].id
        );
        let receipts = self.app.get(&path).await.expect_status(200).json();
        let read_by = receipts["readBy"].as_array().expect("an array");
        let present: BTreeSet<i64> = self
            .model
            .present
            .iter()
            .map(|&user| self.id(user))
            .collect();
        let readers: BTreeSet<i64> = read_by
            .iter()
            .filter_map(|read| read["userId"].as_i64())
            .collect();
        let readers: BTreeSet<i64> = readers.intersection(&present).copied().collect();
        let expected: BTreeSet<i64> = self
            .model
            .readers(index)
            .into_iter()
            .map(|user| self.id(user))
            .collect();
        assert_eq!(readers, expected, "who has read message {index}");
    }
}

async fn run(app: &App, steps: &[Step]) {
    let users: Vec<i64> = (0..USERS).map(|_| unique_user()).collect();
    let mut room = Room::of(app, users.clone()).await;
    room.users = users;
    let model = Model {
        present: (0..USERS).collect(),
        ..Model::default()
    };
    let mut world = World {
        app,
        room,
        model,
        edits: 0,
    };
    for step in steps {
        world.take(step).await;
        world.compare().await;
    }
}

#[test]
fn lists_unread_counts_and_receipts_agree_with_the_model_after_every_step() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let app = runtime.block_on(app());
    let config = Config {
        cases: 24,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&proptest::collection::vec(step(), 1..30), |steps| {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(run(app, &steps))
        }));
        outcome.map_err(|panic| TestCaseError::fail(message_of(&*panic)))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}
