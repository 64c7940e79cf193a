//! Waiting for what the page shows. A wait that fails prints what it last saw, and the page's text.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::wait_for;

use super::Browser;
use crate::TIMEOUT;

/// This long before its limit a wait begins to look at the whole page.
const LAST_LOOK: Duration = Duration::from_secs(2);

/// What a wait has seen.
#[derive(Debug)]
struct Seen<T> {
    /// The browser's log and the visible text of the page, if the wait is about to fail.
    #[expect(dead_code, reason = "it is printed when a wait fails")]
    page: Vec<String>,
    value: T,
}

impl Browser {
    /// Waits until a value is accepted.
    async fn wait_for<T: Debug>(
        &self,
        what: &str,
        observe: impl AsyncFnMut() -> T,
        accept: impl Fn(&T) -> bool,
    ) -> T {
        self.wait_within(TIMEOUT, what, observe, accept).await
    }

    async fn wait_within<T: Debug>(
        &self,
        limit: Duration,
        what: &str,
        mut observe: impl AsyncFnMut() -> T,
        accept: impl Fn(&T) -> bool,
    ) -> T {
        let start = Instant::now();
        let look = async || {
            let value = observe().await;
            let is_late = start.elapsed() + LAST_LOOK > limit && !accept(&value);
            let page = if is_late {
                self.page().await
            } else {
                Vec::new()
            };
            Seen { page, value }
        };
        let seen = wait_for(what, limit, look, |seen| accept(&seen.value)).await;
        seen.value
    }

    /// Waits until exactly these texts match the selector.
    pub async fn reads(&self, css: &str, texts: &[impl AsRef<str>]) {
        self.reads_within(TIMEOUT, css, texts).await;
    }

    /// Waits for a limited time until exactly these texts match the selector.
    pub async fn reads_within(&self, limit: Duration, css: &str, texts: &[impl AsRef<str>]) {
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        let what = format!("{css} reads {texts:?}");
        let read = async || self.texts(css).await;
        self.wait_within(limit, &what, read, |seen| seen == &texts)
            .await;
    }

    /// Waits until the tab has this title.
    pub async fn is_titled(&self, title: &str) {
        let what = format!("the title is {title:?}");
        let read = async || self.driver.title().await.expect("a title");
        self.wait_for(&what, read, |seen| seen == title).await;
    }

    /// Waits until something visible matches the selector.
    pub async fn shows(&self, css: &str) {
        let what = format!("{css} is visible");
        self.wait_for(
            &what,
            async || self.texts(css).await,
            |seen| !seen.is_empty(),
        )
        .await;
    }

    /// Waits until nothing visible matches the selector.
    pub async fn hides(&self, css: &str) {
        let what = format!("{css} is hidden");
        self.wait_for(&what, async || self.texts(css).await, Vec::is_empty)
            .await;
    }

    /// Waits until the element with the focus matches the selector.
    pub async fn focuses(&self, css: &str) {
        let script = "const { activeElement } = document;
            return activeElement.matches(arguments[0]) ? '' : activeElement.outerHTML;";
        let read = async || self.run(script, json!(css)).await;
        self.wait_for(&format!("the focus is at {css}"), read, |other| other == "")
            .await;
    }

    /// Waits until the list of conversations is loaded.
    pub async fn has_its_list(&self) {
        self.shows("#conversations .conversation, #list-notice[data-shown='ready']")
            .await;
    }

    /// The browser's log and the visible text of the page, by line.
    async fn page(&self) -> Vec<String> {
        let text = self
            .run("return document.body.innerText;", json!(null))
            .await;
        let mut lines = self.log().await;
        lines.extend(text.as_str().unwrap_or_default().lines().map(str::to_owned));
        lines
    }
}
