//! A headless Chromium of one's own, driven through chromedriver.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use dev_services::TemporaryDirectory;
use dev_services::process::{self, Signal};
use serde_json::{Value, json};
use testkit::{App, wait_until};
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities, LoggingPrefsLogLevel, TypingData};

use crate::PATIENCE;

const FLAGS: [&str; 12] = [
    "--headless=new",
    // The tests may run as root, for whom Chromium has no sandbox.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    // Not a port but a pipe: when chromedriver is gone, so is the browser.
    "--remote-debugging-pipe",
    "--window-size=1280,940",
];

/// What kind of screen the page is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    Desktop,
    /// 390 pixels wide, and touched.
    Phone,
}

/// A browser with one page.
pub struct Browser {
    driver: WebDriver,
    // Takes the browser along, so it goes before the browser's files.
    _chromedriver: Chromedriver,
    _profile: TemporaryDirectory,
}

impl Browser {
    /// Starts one; `None`, and a line that says so, where there is none to start.
    ///
    /// # Panics
    ///
    /// Where there is none and CI wants all tests to run.
    pub async fn start(screen: Screen) -> Option<Self> {
        if is_missing() {
            return None;
        }
        let profile = TemporaryDirectory::create().expect("a directory for the browser");
        let chromedriver = Chromedriver::start();
        let capabilities = capabilities(&profile, screen).expect("capabilities");
        let driver = WebDriver::new(&chromedriver.url, capabilities)
            .await
            .expect("the browser starts");
        // A session that ends itself when dropped would wait for the runtime that drops it.
        driver.clone().leak().expect("a session that has not ended");
        Some(Self {
            driver,
            _chromedriver: chromedriver,
            _profile: profile,
        })
    }

    /// Opens the page as a user, and waits until it has its conversations.
    pub async fn open(&self, app: &App, user: i64) {
        self.visit(&app.url(&format!("/?user={user}"))).await;
        self.has_its_list().await;
    }

    pub async fn visit(&self, url: &str) {
        self.driver.goto(url).await.expect("the page loads");
    }

    pub async fn has_its_list(&self) {
        let what = "the list of conversations is there";
        let list = "#conversations .conversation, #list-notice[data-shown='ready']";
        wait_until(what, PATIENCE, async || self.count(list).await > 0).await;
    }

    /// Opens a conversation, and waits until its messages are there.
    pub async fn enter(&self, conversation: i64) {
        self.click(&entry(conversation)).await;
        self.shows("#log-scroll, #thread-notice[data-shown='empty']")
            .await;
    }

    /// Writes a message and sends it.
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

    /// Presses keys, one after another, wherever the focus is.
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

    /// Types wherever the focus is.
    pub async fn type_text(&self, text: &str) {
        let chain = self.driver.action_chain().send_keys(TypingData::from(text));
        chain.perform().await.expect("keys");
    }

    /// The texts of what is on the screen and fits the selector.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        let script = format!("{VISIBLE} return visible.map(({{ textContent }}) => textContent);");
        let texts = self.run(&script, json!(css)).await;
        serde_json::from_value(texts).expect("texts")
    }

    async fn count(&self, css: &str) -> usize {
        self.texts(css).await.len()
    }

    /// Waits until these texts, and no others, fit the selector.
    pub async fn reads(&self, css: &str, texts: &[impl AsRef<str>]) {
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        let what = format!("{css} reads {texts:?}");
        wait_until(&what, PATIENCE, async || self.texts(css).await == texts).await;
    }

    /// Waits until the tab has this title.
    pub async fn is_titled(&self, title: &str) {
        let what = format!("the title is {title:?}");
        let has_title = async || self.driver.title().await.expect("a title") == title;
        wait_until(&what, PATIENCE, has_title).await;
    }

    /// Waits until something on the screen fits the selector.
    pub async fn shows(&self, css: &str) {
        let what = format!("{css} is shown");
        wait_until(&what, PATIENCE, async || self.count(css).await > 0).await;
    }

    /// Waits until nothing on the screen fits the selector.
    pub async fn hides(&self, css: &str) {
        let what = format!("{css} is hidden");
        wait_until(&what, PATIENCE, async || self.count(css).await == 0).await;
    }

    /// Whether what has the focus fits the selector.
    pub async fn is_at(&self, css: &str) -> bool {
        let script = "return document.activeElement.matches(arguments[0]);";
        self.run(script, json!(css)).await == json!(true)
    }

    /// What a script returns.
    pub async fn run(&self, script: &str, argument: Value) -> Value {
        let answer = self.driver.execute(script, vec![argument]).await;
        answer.expect("the script runs").json().clone()
    }

    /// What a script that ends later hands to its last argument.
    pub async fn run_async(&self, script: &str) -> Value {
        let answer = self.driver.execute_async(script, Vec::new()).await;
        answer.expect("the script runs").json().clone()
    }

    pub async fn go_back(&self) {
        self.driver.back().await.expect("the way back");
    }

    pub async fn reload(&self) {
        self.driver.refresh().await.expect("the page loads");
    }

    /// What the browser complained of, but for requests that got no answer or a refusal.
    pub async fn complaints(&self) -> Vec<String> {
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

/// Of the elements that fit, those that are on the screen, and be it above or below the fold.
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

/// Whether this machine lacks a browser: then a line says that a test is skipped, whether or
/// not the output of tests is shown.
fn is_missing() -> bool {
    let programs = ["chromium", "chromedriver"];
    let missing = programs
        .into_iter()
        .find(|name| dev_services::apt::program(name).is_none());
    let Some(program) = missing else {
        return false;
    };
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(
        !is_ci,
        "{program} is missing: `cargo xtask test` installs it"
    );
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED {test}: {program} is missing; `cargo xtask test` installs it"
    );
    true
}

/// A chromedriver, which ends with what it started.
struct Chromedriver {
    child: Child,
    url: String,
    // While it is held, chromedriver can print.
    _output: BufReader<ChildStdout>,
}

impl Chromedriver {
    fn start() -> Self {
        let program = dev_services::apt::program("chromedriver").unwrap_or("chromedriver".into());
        let mut command = Command::new(program);
        command
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child =
            process::spawn_in_group(command, Signal::TERM).expect("chromedriver starts");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let port = port(&mut output).expect("chromedriver names its port");
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            _output: output,
        }
    }
}

/// The last word of the line that says that it was started.
fn port(output: &mut impl BufRead) -> Option<u16> {
    let line = output
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("started successfully"));
    line?.trim_end_matches('.').rsplit(' ').next()?.parse().ok()
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        for pid in process::tree(self.child.id()) {
            process::signal(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
