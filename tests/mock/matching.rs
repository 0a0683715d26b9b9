//! Finds the operation of a request, and checks its body.

use super::ask;
use crate::harness::{Dir, Server};

fn start(flags: &[&str]) -> Server {
    let dir = Dir::new();
    dir.write("spec.yaml", include_str!("../fixtures/specs/matching.yaml"));
    let args = ["-p", "0", "--no-admin", "spec.yaml"];
    Server::start(dir.program("hmt-mock").args(args).args(flags))
}

#[test]
fn the_first_operation_that_the_request_fits() {
    let server = start(&[]);
    for (call, body, answered) in [
        ("GET /?Action=List", "", "list"),
        ("GET /?Action=Make", "", "make"),
        ("POST /auth", "", "basic"),
        ("GET /cakes/x?version=2", "", "second"),
        ("POST /a", r#"{"one":1}"#, "one"),
        ("POST /a", r#"{"two":1}"#, "two"),
        ("GET /docs/readme.txt", "", "by name"),
        ("GET /docs/8b9a3c0e-3f0d-4a39-9c5a-111111111111", "", "by id"),
        // The one with the narrower type, although the other one comes first.
        ("GET /notes/5", "", "by number"),
        ("GET /notes/x", "", "by name"),
        ("GET /rest/a/b", "", "any rest"),
        ("GET /rest/", "", "any rest"),
        ("GET /rest", "", "any rest"),
        ("GET /proxy/a/b%2Fc/d", "", "rest"),
    ] {
        let answer = ask(&server, call, &[("Content-Type", "application/json")], body);
        let found = (answer.status, answer.text());
        assert_eq!(found, (200, answered.to_owned()), "{call} {body}");
    }
    for (call, body, status) in [
        ("GET /?Action=Other", "", 422),
        ("GET /cakes/x?version=1", "", 404),
        ("POST /a", r#"{"three":1}"#, 422),
        ("GET /proxy/a/b/c/too-long", "", 422),
        ("GET /proxy", "", 404),
        ("GET /proxy/", "", 404),
    ] {
        let answer = ask(&server, call, &[("Content-Type", "application/json")], body);
        assert_eq!(answer.status, status, "{call} {body}: {}", answer.text());
    }
}

#[test]
fn unions_in_requests() {
    let (lenient, strict) = (start(&[]), start(&["--strict-one-of"]));
    for (call, body, status, strictly) in [
        ("POST /union", r#"{"kind":"cat","lives":9}"#, 204, 422),
        ("POST /union", r#"{"kind":"Dog","weight":9}"#, 204, 422),
        ("POST /union", r#"{"kind":"cat","lives":"x"}"#, 422, 204),
        ("POST /overlap", r#"{"a":1,"b":1}"#, 204, 422),
        ("POST /overlap", r#"{"a":1}"#, 204, 204),
        ("POST /overlap", r#"{"c":1}"#, 422, 422),
    ] {
        for (server, status) in [(&lenient, status), (&strict, strictly)] {
            let answer = ask(server, call, &[("Content-Type", "application/json")], body);
            assert_eq!(answer.status, status, "{call} {body}: {}", answer.text());
        }
    }
}

#[test]
fn formats_without_a_grammar_are_notes_in_requests() {
    let server = start(&[]);
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    for (call, kind, body, status) in [
        ("POST /formats", "application/json", r#"{"image":"not base64!","held":"nope"}"#, 204),
        (
            "POST /formats",
            "application/json",
            r#"{"phone":"+","token":"x","time":"09:00:00"}"#,
            204,
        ),
        ("POST /formats", "application/json", r#"{"time":"noon"}"#, 422),
        ("POST /formats", "application/json", r#"{"id":"x"}"#, 422),
        ("POST /text", "text/plain", "m,t=1 f=2 1630424257", 204),
        ("POST /formats", "application/json", deep.as_str(), 422),
    ] {
        let answer = ask(&server, call, &[("Content-Type", kind)], body);
        assert_eq!(
            answer.status,
            status,
            "{call} {}: {}",
            &body[..body.len().min(60)],
            answer.text()
        );
    }
}
