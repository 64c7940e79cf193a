//! Sockets and event streams, through a real Pushpin.

mod access;
mod client;
mod faults;
mod figures;
mod frames;
mod presence;
mod revocations;
mod streams;

use std::time::Duration;

use testkit::{App, wait_for};
use tests::Room;
use tokio::sync::OnceCell;

/// The app of these tests, with a Pushpin in front. A relay of another app would publish to none, or to
/// another one: so it has stores of its own.
pub async fn app() -> &'static App {
    static APP: OnceCell<App> = OnceCell::const_new();
    APP.get_or_init(|| App::builder().own_stores().gateway().spawn())
        .await
}

/// A conversation of two whose creation has been delivered: what comes to a socket after that is what
/// the test makes happen.
pub async fn quiet_room(app: &App) -> Room {
    let room = Room::new(app, 2).await;
    let database = app.postgres().await;
    let observe = async || {
        let pending = "select unrelayed from conversations where id = $1";
        let row = database.query_one(pending, &[&room.id]).await;
        row.expect("a row").get::<_, bool>(0)
    };
    let limit = Duration::from_secs(10);
    wait_for("it is delivered", limit, observe, |pending| !pending).await;
    room
}
