//! A real browser.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::task::{LocalSet, spawn_local};

use crate::eventually;
use portcullis_testkit::free_port;

const CHROMIUM: &str = "/usr/bin/chromium";
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";
/// How long a page may take to show what it should.
const PATIENCE: Duration = Duration::from_secs(20);

/// A tab of a browser.
#[derive(Clone, Debug)]
pub struct Page {
    client: Client,
}

/// Tells a story in a browser, and closes the browser however it ends.
pub async fn in_a_browser<F>(story: impl FnOnce(Page) -> F)
where
    F: Future<Output = ()> + 'static,
{
    for program in [CHROMIUM, CHROMEDRIVER] {
        let is_there = Path::new(program).exists();
        assert!(
            is_there,
            "{program} is missing; install it: apt-get install chromium chromium-driver"
        );
    }
    let profile = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut driver = Command::new(CHROMEDRIVER)
        .arg(format!("--port={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let client = connected(&mut driver, port, profile.path()).await;
    // A task of its own, so that a failing story comes back here.
    let story = story(Page { client: client.clone() });
    let told = LocalSet::new().run_until(async { spawn_local(story).await }).await;
    // Only the driver can end the browser; without this it would live on.
    drop(client.close().await);
    driver.kill().unwrap();
    driver.wait().unwrap();
    if let Err(error) = told {
        std::panic::resume_unwind(error.into_panic());
    }
}

async fn connected(driver: &mut Child, port: u16, profile: &Path) -> Client {
    let mut arguments: Vec<String> = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,2000",
    ]
    .map(String::from)
    .to_vec();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let wanted = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {"binary": CHROMIUM, "args": arguments},
    });
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(wanted.as_object().unwrap().clone());
    let (url, started) = (format!("http://127.0.0.1:{port}"), Instant::now());
    loop {
        match builder.connect(&url).await {
            Ok(client) => return client,
            // The driver does not listen yet.
            Err(_) if started.elapsed() < PATIENCE && driver.try_wait().unwrap().is_none() => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => {
                drop(driver.kill());
                drop(driver.wait());
                panic!("no browser: {error}");
            }
        }
    }
}

impl Page {
    /// Goes to an address.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Waits for an element of a CSS selector, or of an `XPath` that begins with
    /// a slash.
    pub async fn element(&self, selector: &str) -> Element {
        let wait = self.client.wait().at_most(PATIENCE);
        let found = wait.for_element(locator(selector)).await;
        match found {
            Ok(element) => element,
            Err(error) => {
                let source = self.client.source().await.unwrap_or_default();
                panic!("{selector} does not appear: {error}\n{source}")
            }
        }
    }

    /// Waits until an element can be clicked and clicks it: pages move while
    /// they build themselves.
    pub async fn click(&self, selector: &str) {
        self.element(selector).await;
        eventually(&format!("a click on {selector}"), PATIENCE, async || {
            let element = self.client.find(locator(selector)).await.ok()?;
            element.click().await.ok()
        })
        .await;
    }

    /// Types into a field.
    pub async fn type_into(&self, selector: &str, text: &str) {
        self.element(selector).await.send_keys(text).await.unwrap();
    }

    /// Empties a field.
    pub async fn clear(&self, selector: &str) {
        self.element(selector).await.clear().await.unwrap();
    }

    /// Follows a link in this tab, wherever its page would open it.
    pub async fn follow(&self, selector: &str) {
        self.element(selector).await.follow().await.unwrap();
    }

    /// Waits until an element shows a text.
    pub async fn shows(&self, selector: &str, text: &str) {
        eventually(&format!("{text:?} in {selector}"), PATIENCE, async || {
            let element = self.client.find(locator(selector)).await.ok()?;
            element.text().await.ok()?.contains(text).then_some(())
        })
        .await;
    }

    /// Waits until the whole page does not show a text any more.
    pub async fn no_longer_shows(&self, text: &str) {
        eventually(&format!("{text:?} gone"), PATIENCE, async || {
            let body = self.client.find(locator("body")).await.ok()?;
            (!body.text().await.ok()?.contains(text)).then_some(())
        })
        .await;
    }
}

fn locator(selector: &str) -> Locator<'_> {
    if selector.starts_with('/') { Locator::XPath(selector) } else { Locator::Css(selector) }
}
