//! Searching messages.

mod access;
mod index;
mod language;
mod model;
mod pages;

use serde_json::Value;
use testkit::{App, Response};
use tests::Room;

/// The path of a search.
fn path(parameters: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("http://host/api/v1/messages/search", parameters);
    let url = url.expect("a URL");
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// Searches with these parameters of the query.
pub async fn ask(app: &App, parameters: &[(&str, &str)]) -> Response {
    app.get(&path(parameters)).await
}

/// The answer to a search as a user.
async fn search_as(app: &App, user: i64, query: &str) -> Value {
    let user = user.to_string();
    let answer = ask(app, &[("userId", &user), ("q", query)]).await;
    answer.expect_status(200).json()
}

/// The contents that a user finds, the newest first.
pub async fn found(app: &App, user: i64, query: &str) -> Vec<String> {
    let user = user.to_string();
    let parameters = [("userId", &*user), ("q", query), ("sort", "newest")];
    let answer = ask(app, &parameters).await;
    contents(&answer.expect_status(200).json())
}

/// The contents of an answer's messages.
fn contents(answer: &Value) -> Vec<String> {
    results(answer)
        .iter()
        .map(|result| {
            result["message"]["content"]
                .as_str()
                .expect("a content")
                .to_owned()
        })
        .collect()
}

fn results(answer: &Value) -> &[Value] {
    answer["results"].as_array().expect("an array")
}

/// Posts texts of the first participant.
async fn say_all(app: &App, room: &Room, texts: &[&str]) -> Vec<Value> {
    let mut said = Vec::new();
    for text in texts {
        said.push(room.say(app, room.users[0], text).await);
    }
    said
}
