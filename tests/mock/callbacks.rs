//! Programs that edit responses: their input, the responses to clients, and failures.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

use serde_json::json;

use crate::harness::{Dir, HANG, Server, fixture, on_path};

use super::source;

const SHOP: &str = r#"
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers:
- url: https://shop.test/v1
paths:
  /counter:
    post:
      responses:
        "200": {description: ok, content: {application/json: {example: {shop: a}}}}
  /hello:
    get:
      responses:
        "200": {description: ok, content: {text/plain: {example: Hello}}}
  /broken:
    get:
      responses:
        "200": {description: ok, content: {application/json: {example: {}}}}
  /echo:
    post:
      requestBody: {content: {text/plain: {schema: {type: string}}}}
      responses:
        "200": {description: ok, content: {text/plain: {example: nothing}}}
  /note:
    put:
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses:
        "200": {description: ok, content: {application/json: {example: {}}}}
    get:
      responses:
        "200": {description: ok, content: {application/json: {example: {}}}}
  /fails:
    get:
      responses:
        "200": {description: ok, content: {application/json: {example: {a: 1}}}}
  /plain:
    get:
      responses:
        "200": {description: ok, content: {application/json: {example: {a: 1}}}}
"#;

/// True if a program is not installed. In CI, all are.
fn lacks(program: &str) -> bool {
    let missing = on_path(program).is_none();
    assert!(!missing || std::env::var_os("CI").is_none(), "CI has no {program}");
    missing
}

/// A folder with programs.
fn with(files: &[(&str, &str)]) -> Dir {
    let dir = Dir::new();
    dir.write("spec.yaml", SHOP);
    for (name, text) in files {
        let path = dir.write(&format!("code/{name}"), text);
        let mode = if name.contains('.') && !name.ends_with(".sh") { 0o644 } else { 0o755 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    dir
}

fn start(dir: &Dir, folder: &str, args: &[&str]) -> Server {
    let program = dir.program("hmt-mock").args(["-p", "0", "-a", "0", "-c", folder]);
    Server::start(program.args(args))
}

fn fixtures(name: &str) -> String {
    fixture("callbacks").join(name).display().to_string()
}

#[test]
fn old_scripts_run_unchanged() {
    if lacks("python3") {
        return;
    }
    let dir = with(&[]);
    let server = start(&dir, &fixtures("old"), &["spec.yaml"]);
    // A JSON body, and storage from call to call.
    for count in 1..=2 {
        let answer = server.request("POST", "/https://shop.test/v1/counter").send();
        let answer = answer.expect_status(200);
        assert_eq!(
            (source(&answer), answer.json()),
            ("callback", json!({"shop": "a", "count": count}))
        );
    }
    let set = server.request("POST", "/v1/counter").json(&json!({"set": 10})).send();
    assert_eq!(set.json()["count"], 10);
    // A text body, and headers in any case.
    let greeted = server.request("GET", "/hello?name=Ada").header("x-caller", "me").send();
    let greeted = greeted.expect_status(200);
    assert_eq!((greeted.text(), greeted.header("x-greeted")), ("Hello Ada".to_owned(), Some("me")));
    assert_eq!(greeted.header("content-type"), Some("text/plain"));
    assert_eq!(greeted.header("content-length"), Some("9"));
    server.wait_stderr("greeting.py: loading the greeting");
    server.wait_stderr("greeting.py: greeting Ada");
    // The whole response.
    let broken = server.get("/broken").expect_status(500);
    assert_eq!(broken.json(), json!({"message": "Not ok", "path": "/broken"}));
    assert_eq!(broken.header("x-custom-header"), Some("some value"));
    assert_eq!(broken.header("content-type"), Some("application/json"));
    let echo = server.request("POST", "/echo").header("content-type", "text/plain").body("Hi");
    let echo = echo.send().expect_status(202);
    assert_eq!((echo.text(), echo.header("x-echo-header")), ("Hi".to_owned(), Some("value")));
    // Storage that two endpoints of two files share, and that the admin port shows and empties.
    let note = json!({"text": "milk"});
    server.request("PUT", "/note").json(&note).send().expect_status(200);
    assert_eq!(server.get("/note").json(), json!({"note": "milk", "called": 10}));
    let shown = server.admin("GET", "/storage").send().json();
    assert_eq!(shown["values"], json!({"called": 10, "note": "milk"}));
    server.admin("DELETE", "/storage").send().expect_status(200);
    assert_eq!(server.get("/note").json(), json!({"note": null, "called": 0}));
    // An exception, and a route without a callback.
    let failed = server.get("/fails").expect_status(502);
    assert_eq!(failed.header("content-type"), Some("application/problem+json"));
    assert!(failed.text().contains("KeyError: 'no such member'"), "{}", failed.text());
    server.wait_stderr("callback shared.py: it reports an error: KeyError");
    let plain = server.get("/plain").expect_status(200);
    assert_eq!(source(&plain), "example");
    let journal = server.admin("GET", "/requests?source=callback&count=true").send().json();
    assert!(journal["count"].as_u64().unwrap() >= 8, "{journal}");
    assert!(server.stop().err().contains("greeting Ada"));
}

#[test]
fn shells_and_node_speak_the_protocol() {
    if lacks("node") {
        return;
    }
    let dir = with(&[]);
    let server = start(&dir, &fixtures("other"), &[]);
    let tea = server.get("/v1/shell").expect_status(418);
    assert_eq!((tea.text(), source(&tea)), ("from a shell".to_owned(), "callback"));
    assert_eq!(tea.header("content-type"), Some("text/plain; charset=utf-8"));
    let node = server.get("/https://shop.test/v1/node?name=x");
    assert_eq!((node.json()["node"].clone(), node.json()["name"].clone()), (json!(1), json!("x")));
    assert_eq!(node.header("x-node"), Some("yes"));
    let full = server.get("/v1/node-full").expect_status(409);
    assert_eq!(full.json(), json!({"taken": true}));
    let failed = server.get("/v1/node-fails").expect_status(502);
    assert!(failed.text().contains("on purpose"), "{}", failed.text());
    let shown = server.admin("GET", "/storage").send().json();
    assert_eq!(shown["values"], json!({"shell": true, "node": 1}));
    server.wait_stderr("edit.js: loading");
}

/// The start of a program in a shell: what it edits, and a loop over calls.
const SHELL: &str = "#!/bin/sh\n\
    echo '{\"hmt\":1,\"match\":[{\"path\":\"/plain\"}]}'\n\
    while read -r call; do id=${call#*:}; id=${id%%,*}\n";

fn good(path: &str) -> String {
    let text = SHELL.replace("/plain", path);
    format!("{text}echo '{{\"id\":'$id',\"response\":{{\"body\":\"good\"}}}}'\ndone\n")
}

#[test]
fn what_fails_is_a_502_and_other_routes_do_not_suffer() {
    for (broken, why) in [
        ("exit 3", "ended (exit status 3)"),
        ("kill -9 $$", "ended (signal 9)"),
        ("exec 1>&-; sleep 60", "closed its standard output"),
        ("echo nonsense", "not JSON"),
        ("echo '{\"id\":77}'", "id 77 instead of"),
        ("echo '{\"id\":'$id',\"error\":\"no luck\"}'", "reports an error: no luck"),
        ("echo '{\"id\":'$id',\"response\":{\"statusCode\":1}}'", "from 200 to 999"),
        ("head -c 20000000 /dev/zero | tr '\\0' x", "more than 16 MiB"),
    ] {
        let bad = format!("{SHELL}{broken}\ndone\n");
        let dir = with(&[("bad.sh", &bad), ("good.sh", &good("/hello"))]);
        let server = start(&dir, "code", &["spec.yaml"]);
        for _ in 0..2 {
            let failed = server.get("/plain").expect_status(502);
            assert_eq!(source(&failed), "callback");
            assert!(failed.text().contains(why), "{broken}: {}", failed.text());
        }
        server.wait_stderr("callback bad.sh: it ");
        assert_eq!(server.get("/hello").text(), "good");
        assert_eq!(server.get("/note").expect_status(200).text(), "{}");
        server.stop().expect_code(0);
    }
}

#[test]
fn a_callback_that_hangs_holds_up_nobody_else() {
    let bad = format!("{SHELL}trap '' TERM; sleep 600 & wait\ndone\n");
    let dir = with(&[("bad.sh", &bad), ("good.sh", &good("/hello"))]);
    let server = start(&dir, "code", &["spec.yaml"]);
    let both = Barrier::new(2);
    thread::scope(|scope| {
        let hanging = scope.spawn(|| {
            both.wait();
            server.get("/plain")
        });
        both.wait();
        for _ in 0..20 {
            assert_eq!(server.get("/hello").text(), "good");
            server.get("/note").expect_status(200);
        }
        assert!(!hanging.is_finished(), "others waited for it");
        let failed = hanging.join().unwrap().expect_status(502);
        assert!(failed.text().contains("did not answer within 5 s"), "{}", failed.text());
    });
    // It is killed with its children.
    server.stop().expect_code(0);
    assert_eq!(processes_in(&dir), Vec::<String>::new());
}

/// The processes whose working directory is the folder.
fn processes_in(dir: &Dir) -> Vec<String> {
    let folder = dir.path().canonicalize().unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let cwd = fs::read_link(entry.path().join("cwd"));
        if cwd.is_ok_and(|cwd| cwd == folder) {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            // A process that has ended, and is not waited for yet, has no command line.
            if !line.is_empty() {
                found.push(String::from_utf8_lossy(&line).replace('\0', " "));
            }
        }
    }
    found
}

#[test]
fn no_process_outlives_the_mock() {
    for name in ["TERM", "KILL"] {
        // Nor does a process that a script leaves behind, which does not see the end of its input.
        let leaves = good("/hello").replace("#!/bin/sh\n", "#!/bin/sh\nsleep 600 &\n");
        let dir = with(&[("a.sh", &good("/plain")), ("b.sh", &leaves)]);
        let server = start(&dir, "code", &["spec.yaml"]);
        assert_eq!(server.get("/plain").text(), "good");
        assert_eq!(server.get("/hello").text(), "good");
        assert_eq!(processes_in(&dir).len(), 4);
        server.signal(name);
        server.end();
        let start = std::time::Instant::now();
        while !processes_in(&dir).is_empty() {
            assert!(start.elapsed() < HANG, "{:?}", processes_in(&dir));
            thread::yield_now();
        }
    }
}

#[test]
fn a_mock_does_not_start_with_a_wrong_callback() {
    for (name, text, why) in [
        ("a.sh", "#!/bin/sh\nexit 0\n", "a.sh: it ended (exit status 0)"),
        ("a.sh", "#!/bin/sh\necho hello; sleep 60\n", "its first line must be"),
        ("a.sh", "#!/bin/sh\nexec sleep 60\n", "did not answer within 5 s"),
        ("a.sh", "#!/bin/sh\necho '{\"hmt\":2,\"match\":[]}'; sleep 60\n", "version"),
        ("a.sh", "#!/no/such/interpreter\n", "the interpreter that its first line names"),
        ("a.sh", "echo\n", "#!/bin/sh"),
        ("a.py", "import sys; sys.exit(3)\n", "a.py: it ended (exit status 3)"),
        (
            "a.py",
            "from hmt.callbacks import callback\n@callback('h','get','/')\ndef f(nope): pass\n",
            "'nope'",
        ),
        ("a.js", "require('no such module')\n", "a.js: it ended (exit status 1)"),
    ] {
        if name.ends_with("py") && lacks("python3") || name.ends_with("js") && lacks("node") {
            continue;
        }
        let dir = with(&[(name, text)]);
        let run = dir.program("hmt-mock").args(["-p", "0", "-a", "0", "-c", "code"]).run();
        run.expect_code(1).expect_stderr(why);
        assert_eq!(processes_in(&dir), Vec::<String>::new());
    }
    let dir = with(&[("a.py", "")]);
    let run = dir.program("hmt-mock").args(["-p", "0", "-a", "0", "-c", "code"]);
    run.env("PATH", "/nowhere").run().expect_code(1).expect_stderr("python3 is not on PATH");
    let run = dir.program("hmt-mock").args(["-p", "0", "-a", "0", "-c", "nowhere"]).run();
    run.expect_code(1).expect_stderr("nowhere");
}

#[test]
fn what_is_no_callback_is_ignored() {
    if lacks("python3") || lacks("node") {
        return;
    }
    let dir = with(&[
        ("util.py", "def helper():\n    return 7\n"),
        (
            "user.py",
            "from hmt.callbacks import callback\nfrom util import helper\n\
            @callback('shop.test', 'get', '/v1/plain')\ndef f(): return {'n': helper()}\n",
        ),
        ("util.js", "exports.n = 8;\n"),
        (
            "user.mjs",
            "import { callback } from 'hmt';\nimport util from './util.js';\n\
            callback('shop.test', 'get', '/v1/note', () => ({ n: util.n }));\n",
        ),
        (".hidden.py", "raise SystemExit(3)\n"),
        ("notes.txt", "no program"),
    ]);
    fs::create_dir(dir.join("code/__pycache__")).unwrap();
    let server = start(&dir, "code", &["spec.yaml"]);
    assert_eq!(server.get("/plain").json(), json!({"n": 7}));
    assert_eq!(server.get("/note").json(), json!({"n": 8}));
    assert!(server.stderr().contains("callback util.py: it has no callbacks"));
    assert!(server.stderr().contains("callback util.js: it has no callbacks"));
}

#[test]
fn no_change_of_the_storage_is_lost() {
    if lacks("python3") {
        return;
    }
    let script = "import sys, json\n\
        print(json.dumps({'hmt': 1, 'match': [{'path': '/PATH'}]}), flush=True)\n\
        for line in sys.stdin:\n    call = json.loads(line)\n    n = call['storage'].get('n', 0) + 1\n    \
        print(json.dumps({'id': call['id'], 'storage': {**call['storage'], 'n': n}}), flush=True)\n";
    let helped = "from hmt.callbacks import callback\n\
        @callback('shop.test', 'get', '/v1/note')\n\
        async def count(storage):\n    storage['n'] = storage.get('n', 0) + 1\n";
    let dir = with(&[
        ("a.py", &script.replace("PATH", "plain")),
        ("b.py", &script.replace("PATH", "hello")),
        ("c.py", helped),
    ]);
    let server = start(&dir, "code", &["spec.yaml"]);
    thread::scope(|scope| {
        for path in ["/plain", "/hello", "/note", "/plain", "/hello", "/note"] {
            scope.spawn(|| {
                for _ in 0..20 {
                    server.get(path).expect_status(200);
                }
            });
        }
    });
    assert_eq!(server.admin("GET", "/storage").send().json()["values"], json!({"n": 120}));
}

#[test]
fn callbacks_read_and_change_entities() {
    if lacks("python3") || lacks("node") {
        return;
    }
    let python = "from hmt.callbacks import callback\n\
        @callback('shop.test', 'get', '/v1/plain')\n\
        def pets(storage):\n    \
            storage.Pet.insert({'id': 9, 'name': 'new'})\n    \
            storage.Pet[1]['name'] = 'changed'\n    \
            del storage['Pet'][2]\n    \
            return [pet['name'] for pet in storage.Pet.values()]\n";
    let node = "const { callback } = require('hmt');\n\
        callback(null, 'get', '/note', ({ entities }) => {\n  \
            entities.Pet['9'].name = 'by node';\n  return Object.keys(entities.Pet);\n});\n";
    let dir = with(&[("a.py", python), ("b.js", node)]);
    let data = "x-hmt-data: {Pet: [{id: 1, name: one}, {id: 2, name: two}]}\n\
        components: {schemas: {Pet: {x-hmt-id-path: $.id, type: object}}}\n";
    dir.write("spec.yaml", format!("{SHOP}{data}"));
    let server = start(&dir, "code", &["spec.yaml"]);
    assert_eq!(server.get("/plain").json(), json!(["changed", "new"]));
    assert_eq!(server.get("/note").json(), json!(["1", "9"]));
    let shown = server.admin("GET", "/storage").send().json();
    let pets = json!([{"id": 1, "name": "changed"}, {"id": 9, "name": "by node"}]);
    let all = &shown["entities"]["Pet"];
    let listed = all.as_object().map(|all| all.values().cloned().collect());
    assert_eq!(listed.unwrap_or(all.clone()), pets);
}

#[test]
fn a_callback_edits_any_answer_but_faults_and_preflights() {
    let any = SHELL.replace("{\"path\":\"/plain\"}", "{}")
        + "echo '{\"id\":'$id',\"response\":{\"headers\":{\"x-edited\":\"yes\"}}}'\ndone\n";
    let dir = with(&[("any", &any)]);
    let server = start(&dir, "code", &["spec.yaml", "--error-rate", "GET /hello=1"]);
    for (method, path, status, edited) in [
        ("GET", "/plain", 200, true),
        ("GET", "/nowhere", 404, true),
        ("DELETE", "/plain", 405, true),
        ("GET", "/hello", 500, false),
    ] {
        let answer = server.request(method, path).send().expect_status(status);
        assert_eq!(answer.header("x-edited").is_some(), edited, "{method} {path}");
        assert_eq!(source(&answer) == "callback", edited, "{method} {path}");
    }
    let preflight = server.request("OPTIONS", "/plain").header("origin", "http://page.test");
    let preflight = preflight.header("access-control-request-method", "GET").send();
    assert_eq!(preflight.expect_status(204).header("x-edited"), None);
    let unmatched = server.admin("GET", "/requests?unmatched=true&count=true").send().json();
    assert_eq!(unmatched["count"], 2);
}

#[test]
fn logs_have_the_edited_answer_and_the_scope() {
    let dir = with(&[("a.sh", &good("/plain"))]);
    let server = start(&dir, "code", &["spec.yaml", "-l", "logs", "--keep-secrets"]);
    server.admin("POST", "/scope").body("name=checkout").send().expect_status(200);
    assert_eq!(server.get("/plain").text(), "good");
    server.stop().expect_code(0);
    let names = dir.list("logs");
    assert!(names.len() == 1 && names[0].starts_with("mock-"), "{names:?}");
    let line: serde_json::Value =
        serde_json::from_str(&dir.read(&format!("logs/{}", names[0]))).unwrap();
    assert_eq!(line["response"]["body"], "good");
    assert_eq!(line["response"]["headers"]["x-hmt-source"], "callback");
    assert_eq!(line["meta"]["hmt"]["scope"], "checkout");
    assert!(line["request"]["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
}

#[test]
fn the_environment_has_no_secrets() {
    let show = format!(
        "{SHELL}echo '{{\"id\":'$id',\"response\":{{\"body\":\"'\"$SECRET/$HMT_CALLBACK_X/${{HOME:+home}}\"'\"}}}}'\ndone\n"
    );
    let dir = with(&[("a.sh", &show)]);
    let program = dir.program("hmt-mock").args(["-p", "0", "-a", "0", "-c", "code", "spec.yaml"]);
    let server = Server::start(program.env("SECRET", "s").env("HMT_CALLBACK_X", "x"));
    assert_eq!(server.get("/plain").text(), "/x/home");
    // The modules for scripts are private.
    let folder = Command::new("ls").arg("-ld").arg(python_path(&server)).output().unwrap();
    let listed = String::from_utf8_lossy(&folder.stdout).into_owned();
    assert!(listed.starts_with("drwx------"), "{listed}");
}

/// The first folder of PYTHONPATH of a child of the mock, which is in the private folder.
fn python_path(server: &Server) -> String {
    let children = format!("/proc/{0}/task/{0}/children", server.pid());
    let threads = fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap().flatten();
    let of_threads = threads.map(|thread| thread.path().join("children"));
    let all = std::iter::once(children.into()).chain(of_threads);
    let ids: String = all.filter_map(|path| fs::read_to_string(path).ok()).collect();
    let child = ids.split_whitespace().next().expect("a child");
    let environment = fs::read(format!("/proc/{child}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    let path = environment.split('\0').find_map(|line| line.strip_prefix("PYTHONPATH="));
    path.unwrap().split(':').next().unwrap().strip_suffix("/python").unwrap().to_owned()
}
