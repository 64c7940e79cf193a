//! An app with `auth_mode` jwt, and users who sign in to it.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, send};
use tests::token;
use tokio::sync::OnceCell;

use crate::browser::{Browser, Screen};

/// The app of these tests, which asks for tokens or sessions.
pub async fn closed_app() -> &'static App {
    static APP: OnceCell<App> = OnceCell::const_new();
    APP.get_or_init(async || token::closed().spawn().await)
        .await
}

/// A new conversation of these users.
pub async fn conversation_of(app: &App, users: &[i64], title: &str) -> i64 {
    let body = json!({ "title": title, "participantIds": users });
    let created = post(app, users[0], "/api/v1/conversations", body).await;
    created["id"].as_i64().expect("an id")
}

/// Posts a message as a user.
pub async fn say(app: &App, user: i64, conversation: i64, content: &str) -> Value {
    let body = json!({ "conversationId": conversation, "senderId": user, "content": content });
    post(app, user, "/api/v1/messages", body).await
}

/// The contents of a conversation's messages.
pub async fn contents(app: &App, conversation: i64) -> Vec<Value> {
    let path = format!("/api/v1/messages?conversationId={conversation}");
    let list = by_service(app, Method::GET, &path).await;
    let messages = list.as_array().expect("an array").iter();
    messages.map(|message| message["content"].clone()).collect()
}

/// The user's sessions.
pub async fn sessions_of(app: &App, user: i64) -> Vec<Value> {
    let path = format!("/api/v1/sessions?userId={user}");
    let list = by_service(app, Method::GET, &path).await;
    list.as_array().expect("an array").clone()
}

/// Ends all sessions of a user, as the practice software would.
pub async fn end_sessions(app: &App, user: i64) {
    let path = format!("/api/v1/sessions?userId={user}");
    let request = app.request(Method::DELETE, &path);
    let request = request.header("authorization", token::service());
    send(request).await.expect_status(204);
}

async fn post(app: &App, user: i64, path: &str, body: Value) -> Value {
    let request = app.request(Method::POST, path).json(&body);
    let request = request.header("authorization", token::user(user));
    send(request).await.expect_status(201).json()
}

async fn by_service(app: &App, method: Method, path: &str) -> Value {
    let request = app.request(method, path);
    let request = request.header("authorization", token::service());
    send(request).await.expect_status(200).json()
}

/// A browser in which a user has signed in.
pub async fn signed_in(app: &App, user: i64) -> Browser {
    let page = Browser::start(Screen::Desktop).await;
    page.visit(&app.page_url("/")).await;
    page.sign_in(user).await;
    page
}

/// The token of a user.
pub fn token_of(user: i64) -> String {
    let authorization = token::user(user);
    let token = authorization.strip_prefix("Bearer ").expect("a token");
    token.to_owned()
}

impl Browser {
    /// Signs in by the dialog, and waits until the list is loaded.
    pub async fn sign_in(&self, user: i64) {
        self.show_token(&token_of(user)).await;
        self.hides("#sign-in-dialog").await;
        self.has_its_list().await;
    }

    /// Enters a token.
    pub async fn show_token(&self, token: &str) {
        self.shows("#sign-in-dialog").await;
        self.run("document.getElementById('token').value = '';", json!(null))
            .await;
        self.write("#token", token).await;
        self.click("#sign-in-form [type='submit']").await;
    }

    /// Everything that a page may keep in the browser, and that scripts can see.
    pub async fn stored(&self) -> Value {
        let script = "return Promise.all([
            indexedDB.databases(), caches.keys(), navigator.serviceWorker.getRegistrations(),
        ]).then((all) => [
            { ...sessionStorage }, { ...localStorage }, document.cookie, history.state, name, ...all,
        ]);";
        self.run(script, json!(null)).await
    }

    /// Asserts that the browser keeps nothing of the page.
    pub async fn keeps_nothing(&self) {
        let nothing = json!([{}, {}, "", null, "", [], [], []]);
        assert_eq!(self.stored().await, nothing);
    }
}
