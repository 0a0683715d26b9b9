//! The steps of the tutorial, in order.

use anyhow::ensure;

use super::workshop::{Server, Workshop};
use crate::tool::Tool;

const BANNER: &str = r"
    _   _  __  __  _____
   | | | ||  \/  ||_   _|     collect  ──────>  build  ──────>  mock
   | |_| || |\/| |  | |
   |  _  || |  | |  | |       hmt record       hmt build       hmt mock
   |_| |_||_|  |_|  |_|       traffic          a spec          an API
";

/// Requests of a first client, besides those for users and orders.
const REQUESTS: [&str; 20] = [
    "/products/1",
    "/products/2",
    "/products/3",
    "/products/4",
    "/products/7",
    "/products/12",
    "/products/40",
    "/products/50",
    "/products/1/image",
    "/products/2/image",
    "/products?page=1&limit=4",
    "/products?page=2&limit=4",
    "/products?category=kitchen",
    "/products?category=garden",
    "/products?category=office",
    "/search?q=te",
    "/search?q=lamp",
    "/search?q=x",
    "/search",
    "/users",
];

/// Introduces the tutorial.
pub(super) fn welcome(workshop: &mut Workshop) -> anyhow::Result<()> {
    let screen = &workshop.screen;
    screen.line(BANNER);
    screen.say(
        "Welcome to HMT, the HTTP Mocking Toolkit. This tutorial records the traffic of an API, \
         builds an OpenAPI spec from it, and mocks the API. It takes about five minutes.",
    );
    screen.say(&format!(
        "The API is a small shop with products, users and orders. It runs inside this program, at \
         {}. Everything else is done by the real tools, in a temporary folder that is removed at \
         the end. After each step, press ENTER to go on, or type q and ENTER to leave.",
        workshop.api.url
    ));
    workshop.pause(None)
}

/// Collects traffic.
pub(super) fn record(workshop: &mut Workshop) -> anyhow::Result<()> {
    let screen = &workshop.screen;
    screen.heading("1. Collect: record the traffic of an API");
    screen.say(
        "hmt record starts a recording proxy. It passes each request on to the API, and writes \
         the request and its response as one line of JSON. The traffic does not change.",
    );
    let api = workshop.api.url.clone();
    screen.command(&format!("hmt record --target {api}"));
    let recorder = workshop.start(Tool::Record, &["--target", &api, "--log-dir", "logs"])?;
    screen.output(&format!("listening on {}", recorder.url));
    screen.line("");
    let sent = client(workshop, &recorder.url)?;
    screen.say(&format!(
        "A client has now sent {sent} requests to {} instead of to the API. You can send some, too.",
        recorder.url
    ));
    workshop.pause(Some(&recorder))?;
    let screen = &workshop.screen;
    screen.say("Ctrl-C ends the recorder. It says what it recorded:");
    screen.output(&recorder.stop()?);
    screen.line("");
    let log =
        format!("logs/{}-recordings.jsonl", api.trim_start_matches("http://").replace(':', "_"));
    screen.say("There is one file for each host. This is its first line, an exchange:");
    screen.command(&format!("head -n 1 {log}"));
    screen.output(&in_pieces(workshop.read(&log)?.lines().next().unwrap_or_default(), 5));
    screen.line("");
    screen.say(
        "Secrets such as passwords and tokens are replaced before a line is written. `hmt help \
         exchange` describes the format.",
    );
    workshop.pause(None)
}

/// Builds two specs.
pub(super) fn build(workshop: &mut Workshop) -> anyhow::Result<()> {
    let screen = &workshop.screen;
    screen.heading("2. Build: an OpenAPI spec from the recordings");
    screen.say(
        "hmt build reads recordings and writes a spec. With -m replay, the spec has the recorded \
         paths and the exact responses:",
    );
    screen.command("hmt build -m replay logs -o specs/replay.yaml");
    workshop.run(Tool::Build, &["-m", "replay", "logs", "-o", "specs/replay.yaml"], 0)?;
    show_paths(workshop, "specs/replay.yaml", 6)?;
    screen.say(
        "With -m gen, which is the default, it generalises: path segments that identify something \
         become parameters, and bodies become schemas. --explain says why:",
    );
    screen.command("hmt build --explain /products/7 logs -o specs/gen.yaml");
    let args = ["--explain", "/products/7", "logs", "-o", "specs/gen.yaml"];
    let (_, why) = workshop.run(Tool::Build, &args, 0)?;
    screen.output(&why);
    screen.line("");
    show_paths(workshop, "specs/gen.yaml", 12)?;
    screen.say("Every recorded exchange conforms to this spec. Use --verify to check it.");
    workshop.pause(None)
}

/// Mocks the general spec.
pub(super) fn mock(workshop: &mut Workshop) -> anyhow::Result<()> {
    let screen = &workshop.screen;
    screen.heading("3. Mock: a server that behaves as the spec says");
    screen.say("The mock needs only the spec, not the API. Its data is made from the schemas:");
    let mock = serve(workshop, "hmt mock specs/gen.yaml", &["specs/gen.yaml"])?;
    workshop.show(&mock.url, "GET", "/products/77", "")?;
    screen.say("Product 77 was never recorded. An invalid request is refused, with the reasons:");
    let refused = workshop.show(&mock.url, "POST", "/orders", r#"{"user": 5}"#)?;
    ensure!((400..500).contains(&refused.status), "the mock accepted an invalid order");
    workshop.pause(Some(&mock))?;
    mock.stop().map(drop)
}

/// Merges both specs.
pub(super) fn merge(workshop: &mut Workshop) -> anyhow::Result<()> {
    let screen = &workshop.screen;
    screen.heading("4. Merge: recorded responses, and generated ones for the rest");
    screen.say("hmt merge joins specs. A replay spec and a general one give a mixed one:");
    let args = ["specs/replay.yaml", "specs/gen.yaml", "-o", "specs/mixed.yaml"];
    screen.command(&format!("hmt merge {}", args.join(" ")));
    workshop.run(Tool::Merge, &args, 0)?;
    let mock = serve(workshop, "hmt mock specs/mixed.yaml", &["specs/mixed.yaml"])?;
    screen
        .say("A recorded request gets its recorded response, and any other gets a generated one:");
    let recorded = workshop.show(&mock.url, "GET", "/products/3", "")?;
    ensure!(recorded.source.as_deref() == Some("recording"), "there is no recorded response");
    workshop.show(&mock.url, "GET", "/products/77", "")?;
    screen.say(
        "The two commands `hmt record --mode mixed --target URL` and `hmt mock` do all of this: \
         the first keeps such a spec current while it records.",
    );
    workshop.pause(Some(&mock))?;
    mock.stop().map(drop)
}

/// Mocks with state.
pub(super) fn state(workshop: &mut Workshop) -> anyhow::Result<()> {
    let screen = &workshop.screen;
    screen.heading("5. State: a mock that remembers");
    screen.say(
        "With --stateful, the mock finds collections and their items in the spec, and keeps what \
         clients create, change and delete:",
    );
    let mock =
        serve(workshop, "hmt mock --stateful specs/gen.yaml", &["--stateful", "specs/gen.yaml"])?;
    let created = workshop.show(&mock.url, "POST", "/orders", ORDER)?;
    ensure!(created.status == 201, "the order was not created");
    let order: serde_json::Value = serde_json::from_slice(&created.body)?;
    let path = format!("/orders/{}", order["id"]);
    let read = workshop.show(&mock.url, "GET", &path, "")?;
    ensure!(read.body == created.body, "the order that was read is not the one that was created");
    workshop.show(&mock.url, "DELETE", &path, "")?;
    let gone = workshop.show(&mock.url, "GET", &path, "")?;
    ensure!(gone.status == 404, "the deleted order is still there");
    workshop.pause(Some(&mock))?;
    mock.stop().map(drop)
}

/// Checks later traffic.
pub(super) fn check(workshop: &mut Workshop) -> anyhow::Result<()> {
    let screen = &workshop.screen;
    screen.heading("6. Check: has the API changed?");
    screen.say(
        "A mock is only as good as its spec. Now a second version of the API is deployed, and its \
         traffic is recorded to another folder:",
    );
    workshop.api.change();
    let api = workshop.api.url.clone();
    screen.command(&format!("hmt record --target {api} --log-dir later"));
    screen.line("");
    let recorder = workshop.start(Tool::Record, &["--target", &api, "--log-dir", "later"])?;
    client(workshop, &recorder.url)?;
    recorder.stop()?;
    screen.say(
        "hmt check compares recordings with specs. Its exit status is 1 if they contradict each \
         other:",
    );
    screen.command("hmt check --check specs/gen.yaml later");
    let (report, _) = workshop.run(Tool::Build, &["--check", "specs/gen.yaml", "later"], 1)?;
    screen.output(&report);
    screen.line("");
    workshop.pause(None)
}

/// Shows what to do next.
pub(super) fn goodbye(workshop: &mut Workshop) -> anyhow::Result<()> {
    let screen = &workshop.screen;
    screen.heading("Done");
    screen.say("Now with your own API. These two commands are enough to begin:");
    screen.command("hmt record --mode mixed --target https://api.example.com");
    screen.command("hmt mock");
    screen.line("");
    screen.say(
        "`hmt --help` lists all commands, `hmt help mock` shows a page of the manual, and `hmt \
         help pipelines` is a cookbook.",
    );
    Ok(())
}

/// A valid order.
const ORDER: &str = r#"{"user": "0b8e1f5c-6a43-4d5e-9a0f-2c7d1e90b001", "items": [{"product": 3, "quantity": 2}], "note": "as a gift"}"#;

/// Sends the requests of a client, and returns their number.
fn client(workshop: &Workshop, url: &str) -> anyhow::Result<usize> {
    let mut sent = 0;
    let mut send = |method: &str, path: &str, body: &str| {
        sent += 1;
        workshop.ask(url, method, path, body)
    };
    for path in REQUESTS {
        send("GET", path, "")?;
    }
    let users: Vec<serde_json::Value> = serde_json::from_slice(&send("GET", "/users", "")?.body)?;
    let mut orders = Vec::new();
    for user in users.iter().filter_map(|user| user["id"].as_str()) {
        send("GET", &format!("/users/{user}"), "")?;
        let order = ORDER.replace("0b8e1f5c-6a43-4d5e-9a0f-2c7d1e90b001", user);
        let order = send("POST", "/orders", &order)?;
        let order: serde_json::Value = serde_json::from_slice(&order.body)?;
        orders.push(order["id"].to_string());
    }
    send("POST", "/orders", r#"{"user": "nobody", "items": []}"#)?;
    send("GET", "/orders", "")?;
    for order in &orders {
        send("GET", &format!("/orders/{order}"), "")?;
    }
    send("GET", "/orders/1", "")?;
    for order in orders.iter().skip(2) {
        send("DELETE", &format!("/orders/{order}"), "")?;
    }
    Ok(sent)
}

/// Starts a mock, and shows the command.
fn serve(workshop: &Workshop, command: &str, args: &[&str]) -> anyhow::Result<Server> {
    workshop.screen.command(command);
    let mock = workshop.start(Tool::Mock, &[args, &["--no-admin"]].concat())?;
    workshop.screen.output(&format!("listening on {}", mock.url));
    workshop.screen.line("");
    Ok(mock)
}

/// Shows the first paths of a spec.
fn show_paths(workshop: &Workshop, name: &str, most: usize) -> anyhow::Result<()> {
    let text = workshop.read(name)?;
    let paths: Vec<&str> = text.lines().filter(|line| line.starts_with("  /")).collect();
    let screen = &workshop.screen;
    screen.command(&format!("grep '^  /' {name}"));
    paths.iter().take(most).for_each(|path| screen.output(path));
    if let Some(more @ 1..) = paths.len().checked_sub(most) {
        screen.output(&format!("  ... and {more} more"));
    }
    screen.line("");
    Ok(())
}

/// Breaks a long line into at most `most` lines of 76 characters.
fn in_pieces(line: &str, most: usize) -> String {
    let characters: Vec<char> = line.chars().collect();
    let mut pieces: Vec<String> =
        characters.chunks(76).map(|piece| piece.iter().collect()).collect();
    if pieces.len() > most {
        pieces.truncate(most);
        pieces.push("...".to_owned());
    }
    pieces.join("\n")
}
