//! One person's browser: what can be done with eyes, mouse and keyboard.

mod driver;

use std::path::Path;

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::error::{CmdError, ErrorStatus};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::eventually;

pub use self::driver::Driver;
pub use fantoccini::key::Key;

const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-GB",
    "--window-size=1100,900",
];

/// The text of all visible elements that a selector names.
const VISIBLE_TEXT: &str = "return [...document.querySelectorAll(arguments[0])]
    .filter(element => element.checkVisibility()).map(element => element.innerText).join('\\n')";

/// A browser with a profile of its own, on one instance.
pub struct Browser {
    client: Client,
    http: reqwest::Client,
    /// The driver's address of this session, for commands that only Chromium knows.
    session: String,
    instance: String,
}

impl Browser {
    /// Opens one.
    pub async fn open(driver: &str, profile: &Path, instance: &str) -> Self {
        let mut flags: Vec<_> = FLAGS.map(str::to_owned).into();
        flags.push(format!("--user-data-dir={}", profile.display()));
        let wanted = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": flags},
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted.as_object().unwrap().clone())
            .connect(driver)
            .await
            .unwrap();
        let id = client.session_id().await.unwrap().unwrap();
        Self {
            client,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            session: format!("{driver}/session/{id}"),
            instance: instance.to_owned(),
        }
    }

    /// Goes to a page of the instance.
    pub async fn visit(&self, path: &str) {
        let url = format!("{}{path}", self.instance);
        self.client.goto(&url).await.unwrap();
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// Clicks an element as soon as it can be clicked.
    pub async fn click(&self, selector: &str) {
        eventually(&format!("{selector} can be clicked"), || async {
            let element = ready(self.client.find(Locator::Css(selector)).await)?;
            ready(element.click().await)
        })
        .await;
    }

    /// Types into a field as soon as it takes text; into one for files, a path chooses the file.
    pub async fn fill(&self, selector: &str, text: &str) {
        eventually(&format!("{selector} takes text"), || async {
            let element = ready(self.client.find(Locator::Css(selector)).await)?;
            ready(element.send_keys(text).await)
        })
        .await;
    }

    /// Types where the focus is.
    pub async fn type_keys(&self, text: &str) {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for value in text.chars() {
            keys = keys
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        self.client.perform_actions(keys).await.unwrap();
    }

    /// Presses a key that is no letter.
    pub async fn press(&self, key: Key) {
        self.type_keys(&char::from(key).to_string()).await;
    }

    /// Presses the tab key until an element has the focus.
    pub async fn tab_to(&self, selector: &str) {
        for _ in 0..40 {
            let there = "return document.activeElement.matches(arguments[0])";
            if self.script(there, &[selector]).await == true {
                return;
            }
            self.press(Key::Tab).await;
        }
        panic!("the tab key does not lead to {selector}");
    }

    /// Waits until a text can be read in an element.
    pub async fn await_text(&self, selector: &str, expected: &str) {
        eventually(&format!("{selector} says {expected}"), || async {
            let text = self.text(selector).await;
            text.contains(expected).then_some(())
        })
        .await;
    }

    /// Waits until an element is out of sight.
    pub async fn await_gone(&self, selector: &str) {
        eventually(&format!("{selector} is gone"), || async {
            self.text(selector).await.is_empty().then_some(())
        })
        .await;
    }

    /// What can be read in the visible elements that a selector names.
    pub async fn text(&self, selector: &str) -> String {
        let text = self.script(VISIBLE_TEXT, &[selector]).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a script gives true.
    pub async fn await_true(&self, what: &str, script: &str) {
        eventually(what, || async {
            (self.script(script, &[]).await == true).then_some(())
        })
        .await;
    }

    /// Goes on in the tab that a link opens.
    pub async fn click_to_new_tab(&self, selector: &str) {
        let before = self.client.windows().await.unwrap();
        self.click(selector).await;
        let tab = eventually("a tab opens", || async {
            let tabs = self.client.windows().await.unwrap();
            tabs.into_iter().find(|tab| !before.contains(tab))
        })
        .await;
        self.client.switch_to_window(tab).await.unwrap();
    }

    /// Nothing of the page is wider than a small phone.
    pub async fn expect_phone_width(&self) {
        self.resize(360, 740).await;
        let script = "const width = document.documentElement.clientWidth;
            return [...document.querySelectorAll('body, body *')]
                .filter(element => element.getBoundingClientRect().right > width && !element.closest('.scroll, pre'))
                .map(element => element.outerHTML.slice(0, 80))
                .concat(document.scrollingElement.scrollWidth > width ? ['the page'] : [])";
        let wide = self.script(script, &[]).await;
        let url = self.client.current_url().await.unwrap();
        assert_eq!(wide, json!([]), "too wide for a phone: {url}");
        self.chromium("Emulation.clearDeviceMetricsOverride", json!({}))
            .await;
    }

    /// Gives the page a window of a size.
    pub async fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.chromium("Emulation.setDeviceMetricsOverride", size)
            .await;
    }

    /// Has the page shown as to somebody who prefers light or dark colours: `light`, `dark`.
    pub async fn prefer(&self, colours: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": colours});
        let features = json!({"features": [feature]});
        self.chromium("Emulation.setEmulatedMedia", features).await;
    }

    /// Takes the scroll bars out of the picture.
    pub async fn hide_scrollbars(&self) {
        let script = "document.documentElement.style.scrollbarWidth = 'none'";
        self.script(script, &[]).await;
    }

    /// A picture of the window, as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.unwrap()
    }

    /// What the console got since it was last asked: script errors, refused requests, violations
    /// of the content security policy.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.command("se/log", &json!({"type": "browser"})).await;
        let entries = entries.as_array().unwrap();
        entries.iter().map(Value::to_string).collect()
    }

    /// Closes it; nothing may stand in its console.
    pub async fn close(self) {
        assert_eq!(self.console().await, Vec::<String>::new());
        self.client.close().await.unwrap();
    }

    async fn script(&self, script: &str, arguments: &[&str]) -> Value {
        let arguments = arguments.iter().map(|one| json!(one)).collect();
        self.client.execute(script, arguments).await.unwrap()
    }

    async fn chromium(&self, name: &str, parameters: Value) {
        let command = json!({"cmd": name, "params": parameters});
        self.command("goog/cdp/execute", &command).await;
    }

    async fn command(&self, name: &str, body: &Value) -> Value {
        let request = self
            .http
            .post(format!("{}/{name}", self.session))
            .json(body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(answer["value"]["error"].is_null(), "{name}: {answer}");
        answer["value"].clone()
    }
}

/// What a page that still moves refuses is worth another try; anything else is wrong.
fn ready<T>(result: Result<T, CmdError>) -> Option<T> {
    let error = match result {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    if let CmdError::Standard(standard) = &error
        && matches!(
            standard.error,
            ErrorStatus::NoSuchElement
                | ErrorStatus::StaleElementReference
                | ErrorStatus::ElementNotInteractable
                | ErrorStatus::ElementClickIntercepted
        )
    {
        return None;
    }
    panic!("{error}");
}
