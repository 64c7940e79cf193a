//! Random changes and searches, compared with a model that goes through all messages.

use std::collections::BTreeSet;

use serde_json::json;
use testkit::{App, app, unique_user};
use tests::Room;

use super::ask;
use super::pages::all_pages;

const USERS: usize = 4;
const ROOMS: usize = 3;
/// Words as they are written, and as they are compared.
const WORDS: [(&str, &str); 8] = [
    ("Frist", "frist"),
    ("FRISTEN", "fristen"),
    ("Klage", "klage"),
    ("klagé", "klage"),
    ("Straße", "strasse"),
    ("👍", "👍"),
    ("№7", "7"),
    ("der", "der"),
];

#[derive(Debug, Clone)]
struct Message {
    id: i64,
    room: usize,
    /// None is the system.
    sender: Option<usize>,
    /// None is a tombstone. Indices of words.
    words: Option<Vec<usize>>,
}

struct World<'a> {
    app: &'a App,
    random: fastrand::Rng,
    users: Vec<i64>,
    rooms: Vec<Room>,
    present: Vec<BTreeSet<usize>>,
    messages: Vec<Message>,
}

impl<'a> World<'a> {
    async fn new(app: &'a App, seed: u64) -> Self {
        let users: Vec<i64> = (0..USERS).map(|_| unique_user()).collect();
        let mut rooms = Vec::new();
        for _ in 0..ROOMS {
            rooms.push(Room::of(app, users.clone()).await);
        }
        Self {
            app,
            random: fastrand::Rng::with_seed(seed),
            users,
            rooms,
            present: vec![(0..USERS).collect(); ROOMS],
            messages: Vec::new(),
        }
    }

    fn words(&mut self) -> Vec<usize> {
        let count = self.random.usize(1..=5);
        (0..count)
            .map(|_| self.random.usize(..WORDS.len()))
            .collect()
    }

    async fn change(&mut self) {
        let (room, user) = (self.random.usize(..ROOMS), self.random.usize(..USERS));
        match self.random.u8(..12) {
            0..=4 => self.post(room, user).await,
            5 => self.post_as_system(room).await,
            6..=7 => self.edit().await,
            8 => self.delete().await,
            9..=10 => self.join(room, user).await,
            _ => self.leave(room, user).await,
        }
    }

    async fn post(&mut self, room: usize, user: usize) {
        let words = self.words();
        let answer = self.rooms[room]
            .post(self.app, self.users[user], &text(&words))
            .await;
        if self.present[room].contains(&user) {
            let id = answer.expect_status(201).json()["id"]
                .as_i64()
                .expect("an id");
            let (sender, words) = (Some(user), Some(words));
            self.messages.push(Message {
                id,
                room,
                sender,
                words,
            });
        } else {
            answer.expect_status(404);
        }
    }

    async fn post_as_system(&mut self, room: usize) {
        let words = self.words();
        let path = format!(
            "/api/v1/messages/conversations/{}/system-message",
            self.rooms[room].id
        );
        let answer = self
            .app
            .post(&path, json!({ "content": text(&words) }))
            .await;
        let id = answer.expect_status(201).json()["id"]
            .as_i64()
            .expect("an id");
        let (sender, words) = (None, Some(words));
        self.messages.push(Message {
            id,
            room,
            sender,
            words,
        });
    }

    /// A message of a user who still takes part.
    fn changeable(&mut self) -> Option<usize> {
        let index = self.random.usize(..self.messages.len().max(1));
        let message = self.messages.get(index)?;
        let present = self.present[message.room].contains(&message.sender?);
        (present && message.words.is_some()).then_some(index)
    }

    fn path(&self, message: &Message) -> String {
        let sender = self.users[message.sender.expect("a sender")];
        format!("/api/v1/messages/{}?userId={sender}", message.id)
    }

    async fn edit(&mut self) {
        let Some(index) = self.changeable() else {
            return;
        };
        let words = self.words();
        let path = self.path(&self.messages[index]);
        let body = json!({ "content": text(&words) });
        self.app.patch(&path, body).await.expect_status(200);
        self.messages[index].words = Some(words);
    }

    async fn delete(&mut self) {
        let Some(index) = self.changeable() else {
            return;
        };
        let path = self.path(&self.messages[index]);
        self.app.delete(&path).await.expect_status(204);
        self.messages[index].words = None;
    }

    async fn join(&mut self, room: usize, user: usize) {
        let path = format!("/api/v1/conversations/{}/participants", self.rooms[room].id);
        let body = json!({ "userId": self.users[user] });
        self.app.post(&path, body).await;
        self.present[room].insert(user);
    }

    async fn leave(&mut self, room: usize, user: usize) {
        let (room_id, user_id) = (self.rooms[room].id, self.users[user]);
        let path = format!("/api/v1/conversations/{room_id}/participants/{user_id}");
        self.app.delete(&path).await;
        self.present[room].remove(&user);
    }

    /// A random search as a random user, in all their conversations or in one.
    async fn compare(&mut self) {
        let user = self.random.usize(..USERS);
        let room = self.random.bool().then(|| self.random.usize(..ROOMS));
        let sender = (self.random.u8(..4) == 0).then(|| self.random.usize(..USERS));
        let terms = self.terms();
        let (query, user_id) = (query(&terms), self.users[user].to_string());
        let limit = self.random.usize(1..=4).to_string();
        let mut parameters = vec![("userId", &*user_id), ("q", &*query), ("limit", &*limit)];
        let room_id = room.map(|room| self.rooms[room].id.to_string());
        parameters.extend(room_id.as_deref().map(|id| ("conversationId", id)));
        let sender_id = sender.map(|sender| self.users[sender].to_string());
        parameters.extend(sender_id.as_deref().map(|id| ("senderId", id)));
        if room.is_some_and(|room| !self.present[room].contains(&user)) {
            ask(self.app, &parameters).await.expect_status(404);
            return;
        }
        let mut expected: Vec<i64> = self
            .messages
            .iter()
            .rev()
            .filter(|message| self.present[message.room].contains(&user))
            .filter(|message| room.is_none_or(|room| message.room == room))
            .filter(|message| sender.is_none_or(|sender| message.sender == Some(sender)))
            .filter(|message| matches(message, &terms))
            .map(|message| message.id)
            .collect();
        let newest = [&parameters[..], &[("sort", "newest")]].concat();
        assert_eq!(
            self.ids(&newest).await,
            expected,
            "{query}, user {user}, room {room:?}"
        );
        let mut relevant = self.ids(&parameters).await;
        relevant.sort_unstable();
        expected.sort_unstable();
        assert_eq!(relevant, expected, "{query}, user {user}, room {room:?}");
    }

    async fn ids(&self, parameters: &[(&str, &str)]) -> Vec<i64> {
        let found = all_pages(self.app, parameters).await;
        found
            .iter()
            .map(|message| message["id"].as_i64().expect("an id"))
            .collect()
    }

    fn terms(&mut self) -> Vec<Term> {
        let mut terms: Vec<Term> = (0..self.random.usize(1..=3)).map(|_| self.term()).collect();
        terms[0].is_negative = false;
        terms
    }

    fn term(&mut self) -> Term {
        let count = if self.random.u8(..3) == 0 { 2 } else { 1 };
        Term {
            words: (0..count)
                .map(|_| self.random.usize(..WORDS.len()))
                .collect(),
            is_prefix: count == 1 && self.random.u8(..4) == 0 && !testkit::is_sealed(),
            is_negative: self.random.u8(..3) == 0,
        }
    }
}

#[derive(Debug)]
struct Term {
    words: Vec<usize>,
    is_prefix: bool,
    is_negative: bool,
}

fn text(words: &[usize]) -> String {
    let words: Vec<&str> = words.iter().map(|word| WORDS[*word].0).collect();
    words.join(", ")
}

fn query(terms: &[Term]) -> String {
    let terms = terms.iter().map(|term| {
        let minus = if term.is_negative { "-" } else { "" };
        let words: Vec<&str> = term.words.iter().map(|word| WORDS[*word].0).collect();
        match (words.as_slice(), term.is_prefix) {
            ([word], true) => format!("{minus}{word}*"),
            ([word], false) => format!("{minus}{word}"),
            _ => format!("{minus}\"{}\"", words.join(" ")),
        }
    });
    terms.collect::<Vec<_>>().join(" ")
}

fn matches(message: &Message, terms: &[Term]) -> bool {
    let Some(words) = &message.words else {
        return false;
    };
    let words: Vec<&str> = words.iter().map(|word| WORDS[*word].1).collect();
    terms.iter().all(|term| {
        let searched: Vec<&str> = term.words.iter().map(|word| WORDS[*word].1).collect();
        let is_found = if term.is_prefix {
            words.iter().any(|word| word.starts_with(searched[0]))
        } else {
            words.windows(searched.len()).any(|found| found == searched)
        };
        is_found != term.is_negative
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_agree_with_a_model_after_random_changes() {
    let app = app().await;
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut world = World::new(app, seed).await;
    for _ in 0..120 {
        world.change().await;
        world.compare().await;
    }
}
