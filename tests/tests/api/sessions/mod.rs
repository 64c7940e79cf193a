//! Sessions: cookies instead of tokens, and what is revoked of both.

mod cookies;
mod expiry;
mod revocations;
mod sign_in;
mod stores;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::{App, Response, send};
use tests::token::{self, bearer, claims, now};
use tokio::sync::OnceCell;

const SESSIONS: &str = "/api/v1/sessions";
const REVOKE: &str = "/api/v1/sessions/revoke";
/// What every identified caller may ask for.
const ANY: &str = "/api/v1/messages/users/online";

/// The app of these tests, which asks for tokens or sessions.
async fn app() -> &'static App {
    static APP: OnceCell<App> = OnceCell::const_new();
    // What one test asks for must not run into another's limit.
    let start = async || token::closed().variable("rate_limit", 0).spawn().await;
    APP.get_or_init(start).await
}

/// A browser with a session.
struct Browser {
    id: i64,
    /// Name and value.
    cookie: String,
}

impl Browser {
    /// Signs in with a token of this user that was issued now.
    async fn sign_in(app: &App, user: i64) -> Self {
        Self::of(
            &begin(app, &issued(user, now()), json!({}))
                .await
                .expect_status(201),
        )
    }

    /// The browser that got this response.
    fn of(begun: &Response) -> Self {
        let cookie = begun.header("set-cookie").expect("a cookie");
        let (cookie, _) = cookie.split_once(';').expect("attributes");
        Self {
            id: begun.json()["id"].as_i64().expect("an id"),
            cookie: cookie.to_owned(),
        }
    }

    fn secret(&self) -> &str {
        self.cookie.split_once('=').expect("a value").1
    }

    /// A request of a page of the service.
    fn request(&self, app: &App, method: Method, path: &str) -> RequestBuilder {
        let request = app.request(method, path).header("cookie", &self.cookie);
        request.header("sec-fetch-site", "same-origin")
    }

    async fn get(&self, app: &App, path: &str) -> Response {
        send(self.request(app, Method::GET, path)).await
    }

    async fn delete(&self, app: &App, path: &str) -> Response {
        send(self.request(app, Method::DELETE, path)).await
    }

    /// The status of a request for what every identified caller may ask for.
    async fn status(&self, app: &App) -> u16 {
        self.get(app, ANY).await.status()
    }
}

/// Asks for a session.
async fn begin(app: &App, authorization: &str, body: Value) -> Response {
    let request = app.request(Method::POST, SESSIONS).json(&body);
    send(request.header("authorization", authorization)).await
}

/// The token of a user that was issued at a time.
fn issued(user: i64, at: u64) -> String {
    let mut claims = claims(user);
    claims["iat"] = at.into();
    bearer(&claims)
}

/// The status of a request with a token.
async fn with_token(app: &App, authorization: &str) -> u16 {
    let request = app.request(Method::GET, ANY);
    send(request.header("authorization", authorization))
        .await
        .status()
}

/// A request of a service.
async fn by_service(app: &App, method: Method, path: &str, body: Option<Value>) -> Response {
    let request = app.request(method, path);
    let request = request.header("authorization", token::service());
    send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

/// Revokes a user's sessions, and the tokens that were issued before now.
async fn revoke(app: &App, user: i64) {
    let body = Some(json!({"userId": user}));
    by_service(app, Method::POST, REVOKE, body)
        .await
        .expect_status(204);
}

/// The sessions of a user, as a service sees them: none of them is used by the look.
async fn sessions_of(app: &App, user: i64) -> Vec<Value> {
    let path = format!("{SESSIONS}?userId={user}");
    let list = by_service(app, Method::GET, &path, None).await;
    let list = list.expect_status(200).json();
    list.as_array().expect("an array").clone()
}
