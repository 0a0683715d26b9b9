//! A headless Chromium, driven by the WebDriver protocol (https://www.w3.org/TR/webdriver2/).

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::on_path;
use super::{HANG, Request};

/// How often to check whether the page has reached a state.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A browser with one window, which ends with the test.
pub struct Browser {
    driver: Child,
    session: String,
}

/// Maximum number of starts of chromedriver: it ends if another program takes the port that it
/// chose.
const ATTEMPTS: usize = 10;

/// Starts chromedriver; returns its process and its port, or `None` if it ended.
fn start_driver(driver: &Path, profile: &Path) -> Option<(Child, String)> {
    let mut command = Command::new(driver);
    command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
    for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
        command.env_remove(proxy);
    }
    let mut driver = command.env("HOME", profile).spawn().unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    while let Some(Ok(line)) = lines.next() {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            let port = port.trim_end_matches('.').to_owned();
            // It must not wait for a reader.
            std::thread::spawn(move || lines.for_each(drop));
            return Some((driver, port));
        }
    }
    let _ = driver.wait();
    None
}

impl Browser {
    /// Starts a browser; `None` if chromedriver is not installed, which is an error in CI.
    pub fn start(profile: &Path) -> Option<Self> {
        let Some(driver) = on_path("chromedriver") else {
            super::skipped("chromedriver");
            return None;
        };
        let started = (0..ATTEMPTS).find_map(|_| start_driver(&driver, profile));
        let (driver, port) = started.expect("chromedriver starts");
        let mut browser = Browser { driver, session: format!("http://127.0.0.1:{port}") };
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1000,1200",
        ];
        let options = json!({"args": args});
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}});
        let session = browser.call("POST", "/session", &wanted);
        let id = session["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{}/session/{id}", browser.session);
        Some(browser)
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut request = Request::new(method, &format!("{}{path}", self.session));
        if method == "POST" {
            request = request.json(body);
        }
        let response = request.send();
        let value = response.json()["value"].clone();
        assert!(value.get("error").is_none(), "{method} {path}: {value}");
        value
    }

    pub fn open(&self, url: &str) {
        self.call("POST", "/url", &json!({ "url": url }));
    }

    /// The value of an expression of JavaScript.
    #[track_caller]
    pub fn evaluate(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.call("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait(&self, expression: &str) {
        let end = Instant::now() + HANG;
        while self.evaluate(&format!("Boolean({expression})")) != true {
            let text = self.evaluate("document.body.innerText");
            assert!(Instant::now() < end, "{expression} is not true in\n{text}");
            sleep(LOOK_EVERY);
        }
    }

    /// Presses keys in the element that has the focus. WebDriver has code points for special keys,
    /// such as `\u{E004}` for TAB and `\u{E007}` for ENTER.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                let key = key.to_string();
                [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
            })
            .collect();
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.call("POST", "/actions", &actions);
    }

    /// Clicks the first element of a CSS selector, as a user does: it must be visible.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.call("POST", &format!("/element/{element}/click"), &json!({}));
    }

    #[track_caller]
    fn element(&self, selector: &str) -> String {
        let found =
            self.call("POST", "/element", &json!({"using": "css selector", "value": selector}));
        let id = found.as_object().and_then(|found| found.values().next());
        id.and_then(Value::as_str).expect("an element").to_owned()
    }

    /// A picture of the window, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        use base64::Engine as _;
        let picture = self.call("GET", "/screenshot", &Value::Null);
        base64::prelude::BASE64_STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session, and not with the driver.
        let _ = Request::new("DELETE", &self.session).send();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
