//! An actor: one random operation after the other, as any user, through any host.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use reqwest::Method;
use serde_json::json;

use super::client::{Answer, Call, shown};
use super::history::{Attempt, Kind, Outcome, View};
use super::world::{Known, Place, World};

/// How often a request with a key is repeated at the most.
const ATTEMPTS: usize = 8;
/// How long an actor waits after an operation at the most, in milliseconds.
const PAUSE: u64 = 120;

/// Operations with their weights.
const WEIGHTS: [(Kind, u32); 16] = [
    (Kind::PostWithKey, 22),
    (Kind::Post, 8),
    (Kind::SystemMessageWithKey, 3),
    (Kind::SystemMessage, 1),
    (Kind::Edit, 10),
    (Kind::Delete, 5),
    (Kind::Read, 12),
    (Kind::Join, 5),
    (Kind::Leave, 4),
    (Kind::Create, 1),
    (Kind::List, 14),
    (Kind::Get, 4),
    (Kind::Typing, 4),
    (Kind::Heartbeat, 4),
    (Kind::SignOff, 2),
    (Kind::UnreadCount, 1),
];

struct Actor {
    world: Arc<World>,
    rng: Rng,
}

/// Acts until the run ends.
pub async fn run(world: Arc<World>, rng: Rng) {
    let mut actor = Actor { world, rng };
    while actor.world.goes_on() {
        let kind = actor.kind();
        actor.act(kind).await;
        let pause = Duration::from_millis(actor.rng.u64(..PAUSE));
        tokio::time::sleep(pause).await;
    }
}

impl Actor {
    fn kind(&mut self) -> Kind {
        let total: u32 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut left = self.rng.u32(..total);
        for (kind, weight) in WEIGHTS {
            if left < weight {
                return kind;
            }
            left -= weight;
        }
        Kind::Post
    }

    async fn act(&mut self, kind: Kind) {
        let place = self.world.room(&mut self.rng);
        let user = place.regulars[self.rng.usize(..place.regulars.len())];
        match kind {
            Kind::Post | Kind::PostWithKey => self.post(kind, &place, user).await,
            Kind::SystemMessage | Kind::SystemMessageWithKey => self.announce(kind, &place).await,
            Kind::Edit | Kind::Delete | Kind::Read | Kind::Get => self.on_message(kind).await,
            Kind::Join => self.join(&place, user).await,
            Kind::Leave => self.leave(&place, user).await,
            Kind::Create => self.create().await,
            Kind::List => self.list(&place, user).await,
            Kind::Typing => self.typing(&place, user).await,
            Kind::Heartbeat => self.presence(kind, user, "online").await,
            Kind::SignOff => self.presence(kind, user, "offline").await,
            Kind::UnreadCount => self.unread(user).await,
        }
    }

    /// Sends a call, with a key until its outcome is known.
    async fn until_known(
        &mut self,
        call: &Call,
        attempt: &Attempt,
        has_key: bool,
    ) -> Option<Answer> {
        for _ in 0..ATTEMPTS {
            let answer = call.send(&self.world, &mut self.rng).await;
            let (sent, answered, outcome) = (answer.sent, answer.answered, answer.outcome);
            let is_message = !matches!(attempt.kind, Kind::Join | Kind::Create);
            let id = answer.json["id"].as_i64().filter(|_| is_message);
            let message = attempt.message.or(id);
            let attempt = Attempt {
                sent,
                answered,
                outcome,
                message,
                ..attempt.clone()
            };
            self.world.history.attempted(attempt.clone());
            match outcome {
                Outcome::Done(_) => {
                    self.look(&attempt).await;
                    return Some(answer);
                }
                Outcome::Refused(_) => return None,
                Outcome::Unknown if !has_key => return None,
                Outcome::Unknown => {}
            }
            let pause = Duration::from_millis(self.rng.u64(50..600));
            tokio::time::sleep(pause).await;
        }
        None
    }

    /// Now and then someone who knows of a change looks at once: through any host it has to be there.
    async fn look(&mut self, attempt: &Attempt) {
        if self.rng.u8(..3) > 0 || attempt.conversation == 0 {
            return;
        }
        let rooms = self.world.rooms();
        let place = rooms.iter().find(|place| place.id == attempt.conversation);
        let Some(place) = place else { return };
        let other = place.regulars[self.rng.usize(..place.regulars.len())];
        let is_of_user = matches!(attempt.kind, Kind::Join | Kind::Leave);
        let viewer = attempt.user.filter(|_| is_of_user).unwrap_or(other);
        match attempt.message {
            Some(id) if self.rng.bool() => {
                let (conversation, sender) = (place.id, attempt.user);
                let known = Known {
                    conversation,
                    id,
                    sender,
                };
                self.get(known, viewer).await;
            }
            _ => self.list(place, viewer).await,
        }
    }

    async fn post(&mut self, kind: Kind, place: &Place, user: i64) {
        let (number, text) = self.world.text(&mut self.rng);
        let mut body = json!({ "conversationId": place.id, "senderId": user, "content": text });
        let has_key = kind == Kind::PostWithKey;
        if has_key {
            body["clientMessageId"] = format!("key {number}").into();
        }
        let known = self.world.message(&mut self.rng);
        if let Some(known) = known.filter(|known| known.conversation == place.id) {
            body["replyToId"] = known.id.into();
        }
        let call = Call::new(kind, Method::POST, "/api/v1/messages".into()).json(body);
        let attempt = attempt(kind, place.id, Some(user), None, Some(number));
        let answer = self.until_known(&call, &attempt, has_key).await;
        self.learn(place, Some(user), answer.as_ref());
    }

    async fn announce(&mut self, kind: Kind, place: &Place) {
        let (number, text) = self.world.text(&mut self.rng);
        let path = format!("/api/v1/messages/conversations/{}/system-message", place.id);
        let mut call = Call::new(kind, Method::POST, path).json(json!({ "content": text }));
        let has_key = kind == Kind::SystemMessageWithKey;
        call.key = has_key.then(|| format!("key-{number}"));
        let attempt = attempt(kind, place.id, None, None, Some(number));
        let answer = self.until_known(&call, &attempt, has_key).await;
        self.learn(place, None, answer.as_ref());
    }

    fn learn(&self, place: &Place, sender: Option<i64>, answer: Option<&Answer>) {
        if let Some(id) = answer.and_then(|answer| answer.json["id"].as_i64()) {
            self.world.add_message(Known {
                conversation: place.id,
                id,
                sender,
            });
        }
    }

    async fn on_message(&mut self, kind: Kind) {
        let Some(known) = self.world.message(&mut self.rng) else {
            return;
        };
        let rooms = self.world.rooms();
        let Some(place) = rooms.iter().find(|place| place.id == known.conversation) else {
            return;
        };
        let other = place.regulars[self.rng.usize(..place.regulars.len())];
        let owner = known.sender.unwrap_or(other);
        // Now and then one who may not.
        let user = if self.rng.u8(..20) == 0 { other } else { owner };
        match kind {
            Kind::Edit => self.edit(known, user).await,
            Kind::Delete => self.delete(known, user).await,
            Kind::Read => self.read(known, other).await,
            _ => self.get(known, other).await,
        }
    }

    async fn edit(&mut self, known: Known, user: i64) {
        let (number, text) = self.world.text(&mut self.rng);
        let path = format!("/api/v1/messages/{}?userId={user}", known.id);
        let call = Call::new(Kind::Edit, Method::PATCH, path).json(json!({ "content": text }));
        let call = call.refusals(&[403, 404, 409]);
        let message = Some(known.id);
        let attempt = attempt(
            Kind::Edit,
            known.conversation,
            Some(user),
            message,
            Some(number),
        );
        self.until_known(&call, &attempt, false).await;
    }

    async fn delete(&mut self, known: Known, user: i64) {
        let by_service = self.rng.u8(..4) == 0;
        let viewer = if by_service {
            String::new()
        } else {
            format!("?userId={user}")
        };
        let path = format!("/api/v1/messages/{}{viewer}", known.id);
        let call = Call::new(Kind::Delete, Method::DELETE, path).refusals(&[403, 404]);
        let attempt = attempt(
            Kind::Delete,
            known.conversation,
            Some(user),
            Some(known.id),
            None,
        );
        self.until_known(&call, &attempt, true).await;
    }

    async fn read(&mut self, known: Known, user: i64) {
        let path = format!("/api/v1/messages/messages/{}/read", known.id);
        let call = Call::new(Kind::Read, Method::POST, path).json(json!({ "userId": user }));
        let attempt = attempt(
            Kind::Read,
            known.conversation,
            Some(user),
            Some(known.id),
            None,
        );
        self.until_known(&call, &attempt, false).await;
    }

    async fn join(&mut self, place: &Place, user: i64) {
        let path = format!("/api/v1/conversations/{}/participants", place.id);
        let call = Call::new(Kind::Join, Method::POST, path).json(json!({ "userId": user }));
        // By the user's own name it is not: only a participant or a service may.
        let call = call.refusals(&[404]);
        let attempt = attempt(Kind::Join, place.id, Some(user), None, None);
        self.until_known(&call, &attempt, false).await;
    }

    /// By the user, by a service, and now and then by another user, who may not.
    async fn leave(&mut self, place: &Place, user: i64) {
        let other = place.regulars[self.rng.usize(..place.regulars.len())];
        let caller = match self.rng.u8(..8) {
            0 => format!("?userId={other}"),
            1..4 => String::new(),
            _ => format!("?userId={user}"),
        };
        let path = format!(
            "/api/v1/conversations/{}/participants/{user}{caller}",
            place.id
        );
        let call = Call::new(Kind::Leave, Method::DELETE, path).refusals(&[403, 404]);
        let attempt = attempt(Kind::Leave, place.id, Some(user), None, None);
        self.until_known(&call, &attempt, false).await;
    }

    async fn create(&mut self) {
        if self.world.rooms().len() >= self.world.most_rooms {
            return;
        }
        let regulars = self.world.regulars(&mut self.rng);
        let (number, title) = self.world.title();
        let body = json!({ "participantIds": regulars, "title": title });
        let path = "/api/v1/conversations".to_owned();
        let mut call = Call::new(Kind::Create, Method::POST, path).json(body);
        call.key = Some(format!("key-{number}"));
        let attempt = attempt(Kind::Create, 0, None, None, Some(number));
        let answer = self.until_known(&call, &attempt, true).await;
        if let Some(id) = answer.and_then(|answer| answer.json["id"].as_i64()) {
            self.world.add_room(id, regulars);
        }
    }

    async fn list(&mut self, place: &Place, user: i64) {
        let path = format!("/api/v1/messages?conversationId={}&userId={user}", place.id);
        self.view(Kind::List, place.id, user, path).await;
    }

    async fn get(&mut self, known: Known, user: i64) {
        let path = format!("/api/v1/messages/{}?userId={user}", known.id);
        self.view(Kind::Get, known.conversation, user, path).await;
    }

    async fn view(&mut self, kind: Kind, conversation: i64, user: i64, path: String) {
        let answer = Call::new(kind, Method::GET, path)
            .send(&self.world, &mut self.rng)
            .await;
        self.world.history.viewed(View {
            conversation,
            viewer: Some(user),
            sent: answer.sent,
            answered: answer.answered,
            status: answer.status,
            is_list: kind == Kind::List,
            is_cached: answer.is_cached,
            messages: if answer.status == 200 {
                shown(&answer.json)
            } else {
                vec![]
            },
        });
    }

    async fn typing(&mut self, place: &Place, user: i64) {
        let path = format!("/api/v1/messages/conversations/{}/typing", place.id);
        let body = json!({ "userId": user, "isTyping": self.rng.u8(..3) > 0 });
        let call = Call::new(Kind::Typing, Method::POST, path).json(body);
        call.send(&self.world, &mut self.rng).await;
    }

    async fn presence(&mut self, kind: Kind, user: i64, change: &str) {
        let path = format!("/api/v1/messages/users/{user}/{change}");
        let call = match self.rng.u8(..3) {
            0 => Call::new(kind, Method::POST, path),
            device => Call::new(kind, Method::POST, path)
                .json(json!({ "deviceId": format!("device {device}").replace(' ', "-") })),
        };
        call.send(&self.world, &mut self.rng).await;
    }

    async fn unread(&mut self, user: i64) {
        let path = format!("/api/v1/messages/users/{user}/unread-count");
        let call = Call::new(Kind::UnreadCount, Method::GET, path);
        let answer = call.send(&self.world, &mut self.rng).await;
        if answer.json["total"].as_i64().is_some_and(|total| total < 0) {
            self.world.broken(
                Kind::UnreadCount,
                format!("a negative total: {}", answer.json),
            );
        }
    }
}

fn attempt(
    kind: Kind,
    conversation: i64,
    user: Option<i64>,
    message: Option<i64>,
    text: Option<u32>,
) -> Attempt {
    let (sent, answered, outcome) = (0, 0, Outcome::Unknown);
    Attempt {
        kind,
        conversation,
        user,
        message,
        text,
        sent,
        answered,
        outcome,
    }
}
