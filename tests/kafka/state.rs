//! Topics that are read continuously: states, groups, kills.

use std::fs;

use serde_json::Value;

use super::Cluster;
use crate::harness::{Dir, Program, Server, fixture};

pub(super) fn shop() -> String {
    fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap()
}

/// The lines of a state without the member name.
fn without_member(state: &str) -> Vec<Value> {
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("member");
        line
    };
    state.lines().map(line).collect()
}

pub(super) fn of_file(dir: &Dir, lines: &str) -> String {
    dir.program("hmt-build").arg("-").stdin(lines).run().expect_code(0).out()
}

pub(super) fn fill(cluster: &Cluster, partitions: i32, lines: &str) {
    cluster.fill(lines.lines().enumerate().map(|(n, line)| (n as i32 % partitions, line)));
}

pub(super) fn follow(dir: &Dir, cluster: &Cluster, state: &str, query: &str) -> Program {
    let url = cluster.url(query);
    let spec = format!("{state}.yaml");
    let args = ["--follow", "--every", "50ms", "-v", "--state", state, "-o", &spec, &url];
    dir.program("hmt-build").args(args)
}

#[test]
fn a_state_goes_on_where_it_ended() {
    let (dir, cluster, shop) = (Dir::new(), Cluster::start(3), shop());
    let half = shop.match_indices('\n').nth(9).unwrap().0 + 1;
    let mock = Some(("until=end", Cluster::start(3)));
    let real = Cluster::real(3).map(|real| ("until=end&group=state", real));
    for (query, cluster) in mock.into_iter().chain(real) {
        let run = || {
            let args = ["--state", "s", &cluster.url(query)];
            dir.program("hmt-build").args(args).run().expect_code(0)
        };
        fill(&cluster, 3, &shop[..half]);
        assert_eq!(run().out(), of_file(&dir, &shop[..half]), "{query}");
        fill(&cluster, 3, &shop[half..]);
        assert_eq!(run().out(), of_file(&dir, &shop), "{query}");
        let state = dir.read("s");
        assert_eq!(state.lines().count(), 3, "a line for each partition");
        assert_eq!(run().out(), of_file(&dir, &shop), "{query}");
        assert_eq!(dir.read("s"), state);
        let merged = dir.program("hmt-merge").arg("s.partial.json");
        fs::copy(dir.join("s"), dir.join("s.partial.json")).unwrap();
        assert_eq!(merged.run().expect_code(0).out(), of_file(&dir, &shop));
        fs::remove_file(dir.join("s")).unwrap();
    }
    // In another cluster, the same topic is a different one.
    fill(&cluster, 1, &shop[..half]);
    let run = |cluster: &Cluster| {
        dir.program("hmt-build")
            .args(["--state", "s", "--partial", &cluster.url("until=end")])
            .run()
    };
    let other = Cluster::start(3);
    fill(&other, 1, &shop[half..]);
    run(&cluster).expect_code(0);
    let line = run(&other).expect_code(0).json();
    assert_eq!(line["exchanges"], shop.lines().count());
    assert_eq!(line["inputs"].as_object().unwrap().len(), 2);
}

#[test]
fn kills_change_nothing() {
    let mock = Some(("", Cluster::start(2)));
    // A static member is recognised at once.
    let real = Cluster::real(2).map(|real| ("group=kills&group.instance.id=me", real));
    for (query, cluster) in mock.into_iter().chain(real) {
        let (dir, shop) = (Dir::new(), shop());
        let lines: Vec<&str> = shop.lines().collect();
        for (round, part) in lines.chunks(4).enumerate() {
            fill(&cluster, 2, &part.join("\n"));
            let builder = Server::spawn(follow(&dir, &cluster, "s", query));
            let all = lines.len().min((round + 1) * 4);
            builder.wait_stderr(&format!("up to date with {all} exchanges"));
            builder.signal("KILL");
            drop(builder.end());
            assert_eq!(dir.read("s.yaml"), of_file(&dir, &lines[..all].join("\n")), "{query}");
        }
        let url = cluster.url(&format!("until=end&{query}"));
        let last = dir.program("hmt-build").args(["--state", "s", &url]).run();
        assert_eq!(last.expect_code(0).out(), of_file(&dir, &shop));
    }
}

#[test]
fn a_topic_that_was_made_anew_is_told() {
    let Some(cluster) = Cluster::real(1) else { return };
    let (dir, shop) = (Dir::new(), shop());
    let run =
        |query: &str| dir.program("hmt-build").args(["--state", "s", &cluster.url(query)]).run();
    fill(&cluster, 1, &shop);
    run("until=end").expect_code(0);
    let state = dir.read("s");
    let first = shop.lines().next().unwrap();
    // The new topic is shorter than the read part of the old one, equally long, or longer.
    for (count, why) in [
        (1, "ends at offset 1, but was previously read up to 23"),
        (23, "has another message at offset 22 than was read there before"),
        (60, "has another message at offset 22 than was read there before"),
    ] {
        cluster.recreate();
        fill(&cluster, 1, &vec![first; count].join("\n"));
        for query in ["until=end", "until=end&group=made_anew"] {
            let run = run(query).expect_code(1).expect_no_stdout().expect_stderr(why);
            run.expect_stderr("the topic was created again; start with another --state");
            // A group member stores its name before it joins, and keeps the records that it has
            // read.
            assert_eq!(without_member(&dir.read("s")), without_member(&state));
        }
    }
}

#[test]
fn what_was_deleted_before_it_was_read_is_told() {
    let Some(cluster) = Cluster::real(1) else { return };
    let shop = shop();
    let lines: Vec<&str> = shop.lines().collect();
    fill(&cluster, 1, &lines[..10].join("\n"));
    let run = |dir: &Dir, query: &str| {
        dir.program("hmt-build").args(["--state", "s", &cluster.url(query)]).run().expect_code(0)
    };
    let queries = ["until=end", "until=end&group=deleted"];
    let dirs = queries.map(|query| {
        let dir = Dir::new();
        run(&dir, query);
        dir
    });
    fill(&cluster, 1, &lines[10..].join("\n"));
    cluster.delete_before(0, 13);
    for (dir, query) in dirs.iter().zip(queries) {
        let rest = [&lines[..10], &lines[13..]].concat().join("\n");
        let told = "/0: the broker deleted the offsets 10 to 13 before they were read";
        let again = run(dir, query).expect_stderr(told);
        assert_eq!(again.out(), of_file(dir, &rest), "{query}");
        // The state lists its offsets; a spec cannot be verified against deleted ones.
        let state: Value = serde_json::from_str(&dir.read("s")).unwrap();
        let read: Vec<_> = state["inputs"].as_object().unwrap().values().collect();
        assert_eq!(read, [&serde_json::json!([[0, 10], [13, lines.len()]])]);
        let verify = ["--verify", "--state", "s", &cluster.url(query)];
        let verify = dir.program("hmt-build").args(verify).run().expect_code(1);
        verify.expect_stderr("cannot be read again: the broker has deleted the offsets 0 to 13");
    }
    // All of it may be deleted.
    fill(&cluster, 1, &lines.join("\n"));
    cluster.delete_before(0, 2 * lines.len() as i64);
    for (dir, query) in dirs.iter().zip(queries) {
        run(dir, query)
            .expect_stderr("the broker deleted the offsets 23 to 46 before they were read");
    }
}

#[test]
fn without_a_state_nothing_is_committed() {
    let Some(cluster) = Cluster::real(2) else { return };
    let (dir, shop) = (Dir::new(), shop());
    fill(&cluster, 2, &shop);
    for _ in 0..2 {
        let run = dir.program("hmt-build").arg(cluster.url("group=without_a_st&until=end")).run();
        let run = run.expect_code(0).expect_stderr("no offsets are committed");
        assert_eq!(run.out(), of_file(&dir, &shop));
    }
}

#[test]
fn what_the_group_gives_again_is_counted_and_passed_over() {
    let Some(cluster) = Cluster::real(1) else { return };
    let (dir, shop) = (Dir::new(), shop());
    fill(&cluster, 1, &shop);
    let run = |query: &str| {
        dir.program("hmt-build").args(["--state", "s", &cluster.url(query)]).run().expect_code(0)
    };
    run("until=end&group=what_the_gro");
    let more = shop.lines().next().unwrap();
    fill(&cluster, 1, more);
    // First a reader outside of the group, then a member whose state has everything, but whose
    // group has not committed the last record.
    let without = run("until=end");
    let again = run("until=end&group=what_the_gro").expect_stderr("1 records were delivered again");
    assert_eq!(again.out(), without.out());
    assert_eq!(again.out(), of_file(&dir, &format!("{shop}{more}\n")));
}
