//! Event streams that the proxy holds.

mod equal;
mod faults;
mod rights;

use reqwest::{Client, Method, RequestBuilder};
use testkit::{App, EventStream};
use tests::Room;

/// A request through the proxy.
fn request(app: &App, method: Method, path: &str) -> RequestBuilder {
    let client = Client::builder().pool_max_idle_per_host(0).build();
    client
        .expect("a client")
        .request(method, app.page_url(path))
}

/// An event stream that the proxy holds.
async fn held(app: &App, path: &str) -> EventStream {
    EventStream::open(request(app, Method::GET, path)).await
}

async fn held_after(app: &App, path: &str, id: &str) -> EventStream {
    let request = request(app, Method::GET, path).header("last-event-id", id);
    EventStream::open(request).await
}

fn feed_of(room: &Room, user: i64) -> String {
    format!(
        "/api/v1/messages/conversations/{}/events?userId={user}",
        room.id
    )
}

fn user_feed(user: i64) -> String {
    format!("/api/v1/messages/users/{user}/events")
}
