//! Sockets, through a real Pushpin.

mod access;
mod client;
mod faults;
mod figures;
mod frames;
mod presence;

use testkit::App;
use tokio::sync::OnceCell;

/// The app of these tests, with a Pushpin in front. A relay of another app would publish to none, or to
/// another one: so it has stores of its own.
pub async fn app() -> &'static App {
    static APP: OnceCell<App> = OnceCell::const_new();
    APP.get_or_init(|| App::builder().own_stores().gateway().spawn())
        .await
}
