//! Exact recordings: the mock and the replay server return everything that was recorded, as seen by
//! a client that shares no code with them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::harness::{Dir, Request, Server, fixture, shared};

/// A recorded request, and its responses: status and body.
type Answers = BTreeMap<(String, String, Option<String>), Vec<(u64, Vec<u8>)>>;

/// The mock in replay mode returns the recorded responses for every recorded request, each as often
/// as recorded; the replay server returns them in the order of the file.
#[track_caller]
fn answers_are_the_recorded_ones(recording: &std::path::Path) {
    let text = fs::read_to_string(recording).unwrap();
    let mut recorded = Answers::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Value = serde_json::from_str(line).unwrap();
        let (request, response) = (&line["request"], &line["response"]);
        let key = (
            request["method"].as_str().unwrap().to_uppercase(),
            request["path"].as_str().unwrap().to_owned(),
            request["body"].as_str().map(str::to_owned),
        );
        let body = response["body"].as_str().unwrap_or_default().as_bytes().to_vec();
        recorded.entry(key).or_default().push((response["statusCode"].as_u64().unwrap(), body));
    }

    let dir = Dir::new();
    let build = dir.program("hmt-build").args(["-m", "replay", "-o", "replay.json"]);
    build.arg(recording).run().expect_code(0);
    let mock = dir.program("hmt-mock").args(["-p", "0", "--no-admin", "replay.json"]);
    let sorted = |mut answers: Vec<(u64, Vec<u8>)>| {
        answers.sort();
        answers
    };
    let mocked = ask(&Server::start(mock), &recorded);
    for (key, answers) in &recorded {
        assert!(
            sorted(mocked[key].clone()) == sorted(answers.clone()),
            "the mock's answers to {key:?}"
        );
    }

    let replay = dir.program("hmt-replay").args(["serve", "-p", "0"]).arg(recording);
    let replayed = ask(&Server::start(replay), &recorded);
    for (key, answers) in &recorded {
        assert!(&replayed[key] == answers, "the replay server's answers to {key:?}");
    }
}

/// Sends each recorded request as often as it was recorded.
fn ask(server: &Server, recorded: &Answers) -> Answers {
    let mut answers = Answers::new();
    for (key, expected) in recorded {
        let (method, path, body) = key;
        for _ in expected {
            // Some requests were recorded with a credential, and their responses are only returned
            // to clients with a credential.
            let request: Request = server.request(method, path);
            let mut request = request.header("Authorization", "Bearer any");
            if let Some(body) = body {
                request = request.header("Content-Type", "application/json").body(body.as_str());
            }
            let answer = request.send();
            let all = answers.entry(key.clone()).or_default();
            all.push((answer.status.into(), answer.body));
        }
    }
    answers
}

#[test]
fn of_the_shop_are_answered_again() {
    // The image's body is base64; other tests cover those.
    let dir = Dir::new();
    let text = fs::read_to_string(fixture("docs/recordings.jsonl")).unwrap();
    let texts: Vec<&str> = text.lines().filter(|line| !line.contains("Base64")).collect();
    answers_are_the_recorded_ones(&dir.write("texts.jsonl", texts.join("\n") + "\n"));
}

#[test]
fn of_real_apis_are_answered_again() {
    let Some(folder) = shared("recordings") else { return };
    for entry in fs::read_dir(folder).unwrap() {
        answers_are_the_recorded_ones(&entry.unwrap().path());
    }
}
