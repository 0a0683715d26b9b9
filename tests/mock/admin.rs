//! The admin port.

use serde_json::json;

use super::{SHOP, mock};

#[test]
fn the_admin_port_keeps_scope_and_storage() {
    let (_dir, server) = mock(SHOP, &[]);
    assert_eq!(server.admin("GET", "/health").send().expect_status(200).json()["operations"], 6);
    assert_eq!(server.admin("GET", "/scope").send().json(), json!({}));
    server.admin("POST", "/scope").body("name=a%20test").send().expect_status(200);
    assert_eq!(server.admin("GET", "/scope").send().json(), json!({"name": "a test"}));
    server.admin("POST", "/scope").body("other=1").send().expect_status(400);
    server.admin("DELETE", "/scope").send().expect_status(200);
    assert_eq!(server.admin("GET", "/scope").send().json(), json!({}));
    server.admin("DELETE", "/storage").send().expect_status(200);
    server.admin("POST", "/storage/reset").send().expect_status(200);
    server.admin("POST", "/storage/other").send().expect_status(501);
    server.admin("GET", "/nothing").send().expect_status(404);
    let refused = server.admin("PUT", "/scope").send().expect_status(405);
    assert_eq!(refused.header("allow"), Some("GET, POST, DELETE"));
}

#[test]
fn the_admin_port_refuses_foreign_hosts_and_origins() {
    let (_dir, server) = mock(SHOP, &[]);
    let get = |name: &str, value: &str| server.admin("GET", "/health").header(name, value).send();
    assert_eq!(get("Host", "evil.test").status, 403);
    let port = server.admin_url().rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    assert_eq!(get("Host", &format!("evil.test:{port}")).status, 403);
    assert_eq!(get("Host", &format!("localhost:{port}")).status, 200);
    let foreign = get("Origin", "http://evil.test").expect_status(403);
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    assert_eq!(get("Origin", &format!("http://127.0.0.1:{port}")).status, 200);
}
