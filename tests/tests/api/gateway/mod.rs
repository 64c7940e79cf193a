//! Sockets, through a real Pushpin.

mod frames;

use testkit::App;
use tokio::sync::OnceCell;

/// The app of these tests, with a Pushpin in front.
pub async fn app() -> &'static App {
    static APP: OnceCell<App> = OnceCell::const_new();
    APP.get_or_init(|| App::builder().gateway().spawn()).await
}
