//! Generated responses are valid, as checked by an independent validator.

#[path = "../benches/answers/client.rs"]
mod client;
#[expect(dead_code, reason = "some of it is for the program that judges large specs")]
#[path = "../benches/answers/judge.rs"]
mod judge;

use crate::harness::{Dir, Server, fixture};

/// Answers for each response of a fixture with every keyword: cycles, discriminators, `not`, `if`,
/// patterns.
#[test]
fn generated_answers_are_valid_to_others() {
    for (name, count) in [("keywords.yaml", 100), ("keywords-3.0.yaml", 100)] {
        let path = fixture("specs").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let mut judge = judge::Judge::new(serde_saphyr::from_str(&text).unwrap()).unwrap();
        let dir = Dir::new();
        let program = dir.program("hmt-mock").args(["-p", "0", "--no-admin"]).arg(&path);
        let server = Server::start(program);
        let warnings = server.stderr().lines().filter(|line| !line.contains("listening")).count();
        assert_eq!(warnings, 0, "{}", server.stderr());
        let authority = server.url().strip_prefix("http://").unwrap().to_owned();
        let mut client = client::Client::connect(&authority).unwrap();
        let mut verdict = judge::Verdict::default();
        let cases = judge.cases();
        assert!(cases.len() > 20, "{}", cases.len());
        for case in &cases {
            let schema = judge.compile(&case.schema).unwrap();
            client
                .ask(case, count, |status, body| {
                    verdict.add(case, &judge.schemas, &schema, status, body);
                })
                .unwrap();
        }
        assert_eq!(verdict.answers, cases.len() as u64 * count);
        assert!(verdict.violations.is_empty(), "{:#?}", verdict.violations);
    }
}
