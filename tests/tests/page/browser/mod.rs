//! A headless Chromium for each test, driven through chromedriver.
//!
//! # Layout
//!
//! - this file: how a test starts a browser and acts as its user
//! - `waits`: how a test waits for what the page shows
//! - `chromedriver`: the process

mod chromedriver;
mod waits;

use dev_services::TemporaryDirectory;
use serde_json::{Value, json};
use testkit::App;
use thirtyfour::prelude::*;
use thirtyfour::{
    ChromeCapabilities, ChromiumLikeCapabilities, LoggingPrefsLogLevel, TypingData, WindowHandle,
};

use chromedriver::Chromedriver;

const FLAGS: [&str; 12] = [
    "--headless=new",
    // The tests may run as root, and Chromium's sandbox does not.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    // A pipe instead of a port: the browser ends with chromedriver.
    "--remote-debugging-pipe",
    "--window-size=1280,940",
];

/// The screen of a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    Desktop,
    /// 390 pixels wide, with touch input.
    Phone,
}

/// A browser with one page.
pub struct Browser {
    driver: WebDriver,
    // Dropped before the profile: the browser ends with it.
    _chromedriver: Chromedriver,
    _profile: TemporaryDirectory,
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Panics
    ///
    /// When Chromium is not installed.
    pub async fn start(screen: Screen) -> Self {
        let chromedriver = Chromedriver::start();
        let profile = TemporaryDirectory::create().expect("a directory for the browser");
        let capabilities = capabilities(&profile, screen).expect("capabilities");
        let driver = WebDriver::new(&chromedriver.url, capabilities)
            .await
            .expect("the browser starts");
        // A session that ends itself when dropped would wait for the runtime that drops it.
        driver.clone().leak().expect("a session that has not ended");
        Self {
            driver,
            _chromedriver: chromedriver,
            _profile: profile,
        }
    }

    /// Opens the page as a user, and waits until its list is loaded.
    pub async fn open(&self, app: &App, user: i64) {
        self.visit(&app.page_url(&format!("/?user={user}"))).await;
        self.has_its_list().await;
    }

    pub async fn visit(&self, url: &str) {
        self.driver.goto(url).await.expect("the page loads");
    }

    /// Opens a conversation, and waits until its messages are loaded.
    pub async fn enter(&self, conversation: i64) {
        self.click(&entry(conversation)).await;
        self.shows("#log-scroll, #thread-notice[data-shown='empty']")
            .await;
    }

    /// Writes and sends a message.
    pub async fn say(&self, text: &str) {
        self.write("#message", text).await;
        self.press([Key::Enter]).await;
    }

    pub async fn write(&self, css: &str, text: &str) {
        let field = self.driver.find(By::Css(css)).await.expect(css);
        field.send_keys(text).await.expect(css);
    }

    pub async fn click(&self, css: &str) {
        self.shows(css).await;
        let element = self.driver.find(By::Css(css)).await.expect(css);
        element.click().await.expect(css);
    }

    /// Chooses an option of a list, by its place.
    pub async fn choose(&self, css: &str, index: usize) {
        let script = "const [css, index] = arguments[0];
            const list = document.querySelector(css);
            list.selectedIndex = index;
            list.dispatchEvent(new Event('change'));";
        self.run(script, json!([css, index])).await;
    }

    /// Presses keys, one after another, in the element with the focus.
    pub async fn press(&self, keys: impl IntoIterator<Item = Key>) {
        let chain = keys
            .into_iter()
            .fold(self.driver.action_chain(), |chain, key| {
                chain.key_down(key.clone()).key_up(key)
            });
        chain.perform().await.expect("keys");
    }

    /// Presses a key while another is held.
    pub async fn press_with(&self, held: Key, key: Key) {
        let chain = self.driver.action_chain().key_down(held.clone());
        let chain = chain.key_down(key.clone()).key_up(key).key_up(held);
        chain.perform().await.expect("keys");
    }

    /// Types into the element with the focus.
    pub async fn type_text(&self, text: &str) {
        let chain = self.driver.action_chain().send_keys(TypingData::from(text));
        chain.perform().await.expect("keys");
    }

    /// The texts of the visible elements that match the selector.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        let script = format!("{VISIBLE} return visible.map(({{ textContent }}) => textContent);");
        let texts = self.run(&script, json!(css)).await;
        serde_json::from_value(texts).expect("texts")
    }

    /// Whether the element with the focus matches the selector.
    pub async fn is_at(&self, css: &str) -> bool {
        let script = "return document.activeElement.matches(arguments[0]);";
        self.run(script, json!(css)).await == json!(true)
    }

    /// What a script returns.
    pub async fn run(&self, script: &str, argument: Value) -> Value {
        let answer = self.driver.execute(script, vec![argument]).await;
        answer.expect("the script runs").json().clone()
    }

    pub async fn go_back(&self) {
        self.driver.back().await.expect("the page before");
    }

    pub async fn reload(&self) {
        self.driver.refresh().await.expect("the page loads");
    }

    /// The tab that is driven.
    pub async fn tab(&self) -> WindowHandle {
        self.driver.window().await.expect("a tab")
    }

    /// Opens a URL in another tab, which is driven from now on.
    pub async fn open_tab(&self, url: &str) -> WindowHandle {
        let tab = self.driver.new_tab().await.expect("a tab");
        self.switch_to(&tab).await;
        self.visit(url).await;
        tab
    }

    /// Drives another tab.
    pub async fn switch_to(&self, tab: &WindowHandle) {
        let switched = self.driver.switch_to_window(tab.clone()).await;
        switched.expect("the tab");
    }

    /// Asserts that the browser has no cookie, not even one that scripts cannot see.
    pub async fn has_no_cookie(&self) {
        let cookies = self.driver.get_all_cookies().await.expect("the cookies");
        assert!(cookies.is_empty(), "{cookies:?}");
    }

    /// Asserts that the browser's log has no warning and no error, but for failed requests.
    pub async fn has_a_clean_log(&self) {
        assert_eq!(self.log().await, [""; 0]);
    }

    /// The warnings and errors that were logged since the last call, but for failed requests.
    async fn log(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.expect("the browser's log");
        log.into_iter()
            .filter(|entry| entry.source.as_deref() != Some("network"))
            .map(|entry| entry.message)
            .collect()
    }
}

/// The conversation's entry in the list.
pub fn entry(conversation: i64) -> String {
    format!(".conversation[data-conversation='{conversation}']")
}

/// Of the elements that match, those that are visible, also when they are scrolled out of view.
const VISIBLE: &str = "const visible = [...document.querySelectorAll(arguments[0])]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }));";

fn capabilities(
    profile: &TemporaryDirectory,
    screen: Screen,
) -> WebDriverResult<ChromeCapabilities> {
    let mut capabilities = DesiredCapabilities::chrome();
    for flag in FLAGS {
        capabilities.add_arg(flag)?;
    }
    capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::Warning)?;
    if screen == Screen::Phone {
        let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2, "touch": true });
        let phone = json!({ "deviceMetrics": metrics });
        capabilities.add_experimental_option("mobileEmulation", phone)?;
    }
    Ok(capabilities)
}
