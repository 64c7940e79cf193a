//! A conversation with people in and outside of it, and a request for every
//! route and method that does what the route is for.

use messaging::api::Route;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::{App, send, unique_user};
use tests::token;
use tokio::sync::OnceCell;

/// The app of these tests, which asks for tokens.
pub async fn app() -> &'static App {
    static APP: OnceCell<App> = OnceCell::const_new();
    // What one test asks for must not run into another's limit.
    let start = async || token::closed().variable("rate_limit", 0).spawn().await;
    APP.get_or_init(start).await
}

/// A conversation with one message.
pub struct World {
    pub conversation: i64,
    pub message: i64,
    /// A session of the owner, if one was begun.
    pub session: i64,
    /// A hold on the conversation, if one was placed.
    pub hold: i64,
    /// The sender of the message.
    pub owner: i64,
    /// Another participant.
    pub other: i64,
    /// A user who does not take part.
    pub outsider: i64,
    /// A receiver of webhooks that is disabled.
    pub webhook: i64,
}

impl World {
    pub async fn new(app: &App) -> Self {
        let (owner, other) = (unique_user(), unique_user());
        let conversation = json!({"participantIds": [owner, other]});
        let conversation = create(app, "/api/v1/conversations", &conversation).await;
        let message = json!({"conversationId": conversation, "senderId": owner, "content": "Hi"});
        Self {
            conversation,
            message: create(app, "/api/v1/messages", &message).await,
            // Signing in counts against the owner's rate.
            session: 1,
            hold: 1,
            owner,
            other,
            outsider: unique_user(),
            webhook: disabled_webhook(app).await,
        }
    }

    /// The same, with a session of the owner and a hold.
    pub async fn signed_in(app: &App) -> Self {
        let world = Self::new(app).await;
        let session = sign_in(app, world.owner).await;
        let hold = place_hold(app, world.conversation).await;
        Self {
            session,
            hold,
            ..world
        }
    }

    /// A request for what the route is for, in the name of a user.
    pub fn request(&self, app: &App, rule: &Route, named: i64) -> RequestBuilder {
        let (path, body) = self.call(rule, named);
        let method = rule.method.clone();
        let request = app.request(method, &path);
        match body {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    /// The path and the body of that request.
    pub fn call(&self, rule: &Route, named: i64) -> (String, Option<Value>) {
        let route = rule.path.strip_prefix("/api/v1").unwrap_or(rule.path);
        let id = if route.starts_with("/sessions") {
            self.session
        } else if route.starts_with("/messages/:id") || route.starts_with("/messages/messages") {
            self.message
        } else if route.starts_with("/webhooks/:id") {
            self.webhook
        } else {
            self.conversation
        };
        let path = rule.path.replace(":id", &id.to_string());
        let path = path.replace(":userId", &named.to_string());
        let path = path.replace(":holdId", &self.hold.to_string());
        let path = path.replace(":file", "app.css");
        let newcomer = unique_user();
        let body = match (rule.method.as_str(), route) {
            ("POST", "/messages") => {
                json!({"conversationId": self.conversation, "senderId": named, "content": "Hi"})
            }
            ("PATCH", "/messages/:id") => json!({"content": "Hello"}),
            ("PATCH", "/conversations/:id") => json!({"title": "Smith"}),
            ("POST", "/conversations/:id/holds") => json!({"reason": "a test"}),
            ("POST", "/conversations") => json!({"participantIds": [named, newcomer]}),
            ("POST", "/conversations/:id/participants") => json!({"userId": newcomer}),
            ("POST", "/messages/conversations/:id/typing") => {
                json!({"userId": named, "isTyping": true})
            }
            ("POST", "/messages/conversations/:id/assistant") => json!({"task": "summary"}),
            ("POST", "/messages/messages/:id/read") => json!({"userId": named}),
            ("POST", "/messages/conversations/:id/system-message") => json!({"content": "Hi"}),
            ("POST", "/webhooks") => {
                json!({"url": "https://hooks.example.com/", "events": ["participant-left"]})
            }
            ("POST", "/webhooks/:id/redeliver") => json!({"after": "2100-01-01T00:00:00Z"}),
            ("GET", "/messages") => {
                return (format!("{path}?conversationId={}", self.conversation), None);
            }
            ("GET", "/messages/search") => return (format!("{path}?q=Hi&userId={named}"), None),
            ("POST", "/sessions") => json!({"device": "a test"}),
            ("POST", "/sessions/revoke") => json!({"userId": named}),
            ("GET" | "DELETE", "/sessions" | "/sessions/:id") => {
                return (format!("{path}?userId={named}"), None);
            }
            ("GET", "/analytics/active-users") => return (format!("{path}?window=1d"), None),
            ("GET", "/conversations") => return (format!("{path}?userId={named}"), None),
            _ => return (path, None),
        };
        (path, Some(body))
    }
}

async fn sign_in(app: &App, user: i64) -> i64 {
    let request = app.request(Method::POST, "/api/v1/sessions");
    let begun = send(request.header("authorization", token::user(user))).await;
    begun.expect_status(201).json()["id"]
        .as_i64()
        .expect("an id")
}

async fn place_hold(app: &App, conversation: i64) -> i64 {
    let path = format!("/api/v1/conversations/{conversation}/holds");
    let request = app.request(Method::POST, &path);
    let request = request.json(&json!({"reason": "a test"}));
    let records = token::with_scope("an officer", "messaging:records");
    let placed = send(request.header("authorization", records)).await;
    placed.expect_status(201).json()["id"]
        .as_i64()
        .expect("an id")
}

async fn disabled_webhook(app: &App) -> i64 {
    let insert = "
        insert into webhooks (url, events, contents, secret, disabled_at)
        values ('https://hooks.example.com/', '{participant-left}', false, '\\x00', now()) returning id";
    let row = app.postgres().await.query_one(insert, &[]).await;
    row.expect("a receiver").get(0)
}

async fn create(app: &App, path: &str, body: &Value) -> i64 {
    let request = app.request(Method::POST, path).json(body);
    let created = send(request.header("authorization", token::service())).await;
    let created = created.expect_status(201).json();
    created["id"].as_i64().expect("an id")
}
