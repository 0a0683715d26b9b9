//! Topics that one goes on with: states, groups, kills.

use std::fs;

use super::Cluster;
use crate::harness::{Dir, Program, Server, fixture};

fn shop() -> String {
    fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap()
}

fn of_file(dir: &Dir, lines: &str) -> String {
    dir.program("hmt-build").arg("-").stdin(lines).run().expect_code(0).out()
}

fn fill(cluster: &Cluster, partitions: i32, lines: &str) {
    cluster.fill(lines.lines().enumerate().map(|(n, line)| (n as i32 % partitions, line)));
}

fn follow(dir: &Dir, cluster: &Cluster, state: &str, query: &str) -> Program {
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
    // Of another cluster, the same topic is another one.
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
    // A member with a name of its own is known again at once.
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
fn members_of_a_group_share_a_topic() {
    let Some(cluster) = Cluster::real(4) else { return };
    let (dir, shop) = (Dir::new(), shop());
    let half = shop.match_indices('\n').nth(9).unwrap().0 + 1;
    fill(&cluster, 4, &shop[..half]);
    let first = Server::spawn(follow(&dir, &cluster, "a", "group=members_of_a"));
    first.wait_stderr("up to date with 10 exchanges");
    // The second one takes partitions over from the first, which has read of them already.
    let second = Server::spawn(follow(&dir, &cluster, "b", "group=members_of_a"));
    let third = Server::spawn(follow(&dir, &cluster, "c", "group=members_of_a"));
    std::thread::sleep(std::time::Duration::from_secs(3));
    fill(&cluster, 4, &shop[half..]);
    std::thread::sleep(std::time::Duration::from_secs(3));
    for member in [third, first, second] {
        member.signal("TERM");
        member.end().expect_code(0);
    }
    // What the last one was still given.
    let last = ["--state", "b", &cluster.url("group=members_of_a&until=end"), "-o", "x.yaml"];
    dir.program("hmt-build").args(last).run().expect_code(0);
    for state in ["a", "b", "c"] {
        fs::rename(dir.join(state), dir.join(&format!("{state}.partial.json"))).unwrap();
    }
    let all = ["a.partial.json", "b.partial.json", "c.partial.json"];
    let merged = dir.program("hmt-merge").args(all).run().expect_code(0);
    assert_eq!(merged.out(), of_file(&dir, &shop));
}

#[test]
fn without_a_state_nothing_is_committed() {
    let Some(cluster) = Cluster::real(2) else { return };
    let (dir, shop) = (Dir::new(), shop());
    fill(&cluster, 2, &shop);
    for _ in 0..2 {
        let run = dir.program("hmt-build").arg(cluster.url("group=without_a_st&until=end")).run();
        let run = run.expect_code(0).expect_stderr("nothing is committed");
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
    // Read by nobody of the group; then by a member whose state has all of it, but the group has not heard of it.
    let without = run("until=end");
    let again = run("until=end&group=what_the_gro").expect_stderr("1 records were given again");
    assert_eq!(again.out(), without.out());
    assert_eq!(again.out(), of_file(&dir, &format!("{shop}{more}\n")));
}
