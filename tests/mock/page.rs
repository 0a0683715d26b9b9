//! The page of the admin port, in a real browser.

use serde_json::json;

use crate::harness::Browser;

use super::{SHOP, mock};

#[test]
fn the_page_is_served_with_a_strict_policy() {
    let (_dir, server) = mock(SHOP, &[]);
    let root = server.admin_url().trim_end_matches("/admin").to_owned();
    let get = |path: &str| crate::harness::Request::new("GET", &format!("{root}{path}")).send();
    let page = get("/").expect_status(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(policy.contains(&format!("connect-src 'self' {};", server.url())), "{policy}");
    get("/page.js").expect_status(200);
    get("/page.css").expect_status(200);
    get("/page.html").expect_status(404);
    let foreign = crate::harness::Request::new("GET", &root).header("Host", "evil.test").send();
    foreign.expect_status(403);
}

#[test]
fn the_page_needs_no_token_and_its_requests_do() {
    let (_dir, server) = mock(SHOP, &["--admin-token", "s3cret"]);
    let root = server.admin_url().trim_end_matches("/admin").to_owned();
    let get = |path: &str| crate::harness::Request::new("GET", &format!("{root}{path}")).send();
    get("/").expect_status(200);
    get("/page.js").expect_status(200);
    get("/admin/requests").expect_status(401);
    let Some(browser) = Browser::start(_dir.path()) else { return };
    browser.open(&root);
    browser.wait("!document.getElementById('login').hidden");
    browser.evaluate("document.getElementById('token').focus()");
    browser.press("s3cret\u{E007}");
    browser.wait("document.getElementById('login').hidden");
    browser.wait("document.querySelectorAll('#route-list > li').length === 6");
}

#[test]
fn a_user_sees_requests_and_overrides_an_operation() {
    let (dir, server) = mock(SHOP, &[]);
    let Some(browser) = Browser::start(dir.path()) else { return };
    browser.open(server.admin_url().trim_end_matches("/admin"));
    browser.wait("document.querySelectorAll('#route-list > li').length === 6");
    browser.wait("document.getElementById('journal-state').textContent === 'live'");

    // Requests of other clients appear at once, as text and not as markup.
    server.request("POST", "/items").body("<b id=x>bold</b>").send();
    server.get("/items/7").expect_status(200);
    browser.wait("document.querySelectorAll('#entries > li').length === 2");
    assert_eq!(browser.evaluate("document.getElementById('x')"), json!(null));
    browser.click("#entries > li:nth-child(2) summary");
    browser.wait("document.querySelector('#entries > li:nth-child(2)').innerText.includes('<b id=x>bold</b>')");

    // A route is tried, overridden by a click, and tried again.
    let item = "#route-list > li[data-route=\"GET /items/{id}\"]";
    browser.click(&format!("{item} summary"));
    browser.click(&format!("{item} .send"));
    browser
        .wait(&format!("document.querySelector('{item} pre').textContent.startsWith('HTTP 200')"));
    browser.click(&format!("{item} .answer"));
    browser.wait("document.querySelectorAll('#override-list code').length === 1");
    server.get("/items/7").expect_status(503);
    browser.click(&format!("{item} .send"));
    browser
        .wait(&format!("document.querySelector('{item} pre').textContent.startsWith('HTTP 503')"));
    browser.click("#override-list button");
    browser.wait("document.querySelectorAll('#override-list code').length === 0");
    server.get("/items/7").expect_status(200);

    // The same with the keyboard only.
    browser.evaluate(&format!("document.querySelector('{item} .answer').focus()"));
    browser.press("\u{E007}");
    browser.wait("document.querySelectorAll('#override-list code').length === 1");

    // Both themes, in different colours.
    let background = || browser.evaluate("getComputedStyle(document.body).backgroundColor");
    let mut seen = Vec::new();
    for theme in ["light", "dark"] {
        browser.evaluate(&format!(
            "(() => {{ const s = document.getElementById('theme'); s.value = '{theme}'; s.dispatchEvent(new Event('change')); }})()"
        ));
        seen.push(background());
        if let Some(folder) = std::env::var_os("HMT_TEST_SCREENSHOTS") {
            let path = std::path::Path::new(&folder).join(format!("page-{theme}.png"));
            std::fs::write(path, browser.screenshot()).unwrap();
        }
    }
    assert_eq!(seen, [json!("rgb(255, 255, 255)"), json!("rgb(13, 17, 23)")]);
}
