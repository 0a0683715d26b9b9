//! Consumer groups: members share a topic, and each record is counted once, whichever member dies
//! at any moment.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::Command;

use super::Cluster;
use super::state::{fill, follow, of_file, shop};
use crate::harness::{Dir, Run, Server};

/// The result of `hmt-merge` for some states.
fn merged(dir: &Dir, states: &[&str]) -> Run {
    let mut names = Vec::new();
    for state in states {
        names.push(format!("{state}.partial.json"));
        fs::copy(dir.join(state), dir.join(names.last().unwrap())).unwrap();
    }
    dir.program("hmt-merge").args(names).run().expect_code(0)
}

#[test]
fn members_share_a_topic() {
    let Some(cluster) = Cluster::real(4) else { return };
    let (dir, shop) = (Dir::new(), shop());
    let half = shop.match_indices('\n').nth(9).unwrap().0 + 1;
    fill(&cluster, 4, &shop[..half]);
    let first = Server::spawn(follow(&dir, &cluster, "a", "group=members"));
    first.wait_stderr("up to date with 10 exchanges");
    // The other members take over partitions that the first member has already read in part.
    let second = Server::spawn(follow(&dir, &cluster, "b", "group=members"));
    let third = Server::spawn(follow(&dir, &cluster, "c", "group=members"));
    second.wait_stderr("assigned to this member");
    third.wait_stderr("assigned to this member");
    fill(&cluster, 4, &shop[half..]);
    cluster.wait_committed("members", shop.lines().count() as i64);
    for member in [third, first, second] {
        member.stop().expect_code(0);
    }
    assert_eq!(merged(&dir, &["a", "b", "c"]).out(), of_file(&dir, &shop));
}

const EMPTY: &[u8] = b"openapi: 3.0.3\ninfo: {title: API, version: '1'}\npaths: {}\n";

/// A member that has written a state with what it has read, but not committed to the group. In
/// between it reads the initial spec, which is a pipe here, and waits for the content or the end of
/// the pipe.
fn before_its_commit(dir: &Dir, cluster: &Cluster, query: &str) -> (Server, File) {
    let pipe = dir.join("pipe.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let member = Server::spawn(follow(dir, cluster, "a", query).args(["-a", "pipe.yaml"]));
    let writer = loop {
        // Waits for a reader.
        let mut writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        if dir.read("a").contains("\"claim\"") {
            break writer;
        }
        // The first state is written when the partition is taken over. The reader of the last spec
        // may just be closing the pipe.
        drop(writer.write_all(EMPTY));
    };
    (member, writer)
}

fn dies_before_its_commit(dir: &Dir, cluster: &Cluster, query: &str) {
    let (member, writer) = before_its_commit(dir, cluster, query);
    member.signal("KILL");
    drop((member.end(), writer));
    fs::remove_file(dir.join("pipe.yaml")).unwrap();
}

#[test]
fn a_member_that_dies_before_its_commit_is_not_counted_twice() {
    let Some(cluster) = Cluster::real(1) else { return };
    let (dir, shop) = (Dir::new(), shop());
    let half = shop.match_indices('\n').nth(9).unwrap().0 + 1;
    // Members with the same name take over from each other at once; others only after the session
    // timeout.
    let query = "group=dies_before&group.instance.id=me";
    fill(&cluster, 1, &shop[..half]);
    dies_before_its_commit(&dir, &cluster, query);
    // Its own state counts the records that it has read.
    assert_eq!(merged(&dir, &["a"]).out(), of_file(&dir, &shop[..half]));

    fill(&cluster, 1, &shop[half..]);
    let build = |state: &str| {
        let args = ["--state", state, &cluster.url(&format!("{query}&until=end"))];
        dir.program("hmt-build").args(args).run().expect_code(0)
    };
    build("b");
    let both = merged(&dir, &["a", "b"]).expect_stderr("a.partial.json:1 is ignored");
    assert_eq!(both.out(), of_file(&dir, &shop));
    assert_eq!(merged(&dir, &["b", "a"]).out(), both.out());
    dir.program("hmt-merge").args(["--info", "a.partial.json"]).run().expect_stdout("claimed: ");
    // After a restart, it learns that another member has read the same records.
    build("a");
    assert!(!dir.read("a").contains("claim"));
    let both = merged(&dir, &["a", "b"]);
    assert!(!both.err().contains("ignored"), "{both}");
    assert_eq!(both.out(), of_file(&dir, &shop));
}

#[test]
fn a_member_that_was_killed_has_its_partitions_back_at_once() {
    let Some(cluster) = Cluster::real(2) else { return };
    let (dir, shop) = (Dir::new(), shop());
    let half = shop.match_indices('\n').nth(9).unwrap().0 + 1;
    // No other member gets them within two minutes, and the test does not wait that long.
    let query = "group=comes_back&session.timeout.ms=120000";
    fill(&cluster, 2, &shop[..half]);
    let member = Server::spawn(follow(&dir, &cluster, "a", query));
    cluster.wait_committed("comes_back", 10);
    member.signal("KILL");
    drop(member.end());
    fill(&cluster, 2, &shop[half..]);
    let member = Server::spawn(follow(&dir, &cluster, "a", query));
    cluster.wait_committed("comes_back", shop.lines().count() as i64);
    member.stop().expect_code(0);
    assert_eq!(merged(&dir, &["a"]).out(), of_file(&dir, &shop));
}

#[test]
fn of_two_members_with_one_name_the_first_ends() {
    let Some(cluster) = Cluster::real(1) else { return };
    let (dir, shop) = (Dir::new(), shop());
    let half = shop.match_indices('\n').nth(9).unwrap().0 + 1;
    fill(&cluster, 1, &shop[..half]);
    let query = "group=one_name&heartbeat.interval.ms=500";
    let first = Server::spawn(follow(&dir, &cluster, "a", query));
    cluster.wait_committed("one_name", 10);
    first.signal("STOP");
    dir.write("b", dir.read("a"));
    let second = Server::spawn(follow(&dir, &cluster, "b", query));
    fill(&cluster, 1, &shop[half..]);
    cluster.wait_committed("one_name", shop.lines().count() as i64);
    first.signal("CONT");
    let run = first.end().expect_code(1).expect_stderr("under the name of this one");
    assert!(!run.err().contains("panicked"), "{run}");
    second.stop().expect_code(0);
    assert_eq!(merged(&dir, &["b"]).out(), of_file(&dir, &shop));
}

#[test]
fn a_member_that_dies_before_its_commit_goes_on_itself() {
    let Some(cluster) = Cluster::real(1) else { return };
    let (dir, shop) = (Dir::new(), shop());
    let half = shop.match_indices('\n').nth(9).unwrap().0 + 1;
    let query = "group=goes_on&group.instance.id=me";
    fill(&cluster, 1, &shop[..half]);
    for _ in 0..2 {
        dies_before_its_commit(&dir, &cluster, query);
    }
    fill(&cluster, 1, &shop[half..]);
    let args = ["--state", "a", &cluster.url(&format!("{query}&until=end"))];
    let run = dir.program("hmt-build").args(args).run().expect_code(0);
    assert_eq!(run.out(), of_file(&dir, &shop));
    assert!(!dir.read("a").contains("claim"));
    assert_eq!(merged(&dir, &["a"]).out(), of_file(&dir, &shop));
}

#[test]
fn a_member_that_dies_after_its_commit_keeps_what_it_read() {
    let Some(cluster) = Cluster::real(1) else { return };
    let (dir, shop) = (Dir::new(), shop());
    let half = shop.match_indices('\n').nth(9).unwrap().0 + 1;
    let query = "group=dies_after&group.instance.id=me";
    fill(&cluster, 1, &shop[..half]);
    let member = Server::spawn(follow(&dir, &cluster, "a", query));
    cluster.wait_committed("dies_after", 10);
    member.signal("KILL");
    drop(member.end());
    // The state was written before the commit, so it does not include it.
    assert!(dir.read("a").contains("claim"));
    fill(&cluster, 1, &shop[half..]);
    let build = |state: &str| {
        let args = ["--state", state, &cluster.url(&format!("{query}&until=end"))];
        dir.program("hmt-build").args(args).run().expect_code(0)
    };
    build("b");
    assert_eq!(merged(&dir, &["a", "b"]).out(), of_file(&dir, &shop));
    build("a");
    assert!(!dir.read("a").contains("claim"));
    assert_eq!(merged(&dir, &["a", "b"]).out(), of_file(&dir, &shop));
}

#[test]
fn a_member_that_was_away_is_not_counted_twice() {
    let Some(cluster) = Cluster::real(1) else { return };
    let (dir, shop) = (Dir::new(), shop());
    let half = shop.match_indices('\n').nth(9).unwrap().0 + 1;
    fill(&cluster, 1, &shop[..half]);
    // The shortest session timeout that brokers allow.
    let query = "group=away&session.timeout.ms=6000&heartbeat.interval.ms=1000";
    let (first, mut writer) = before_its_commit(&dir, &cluster, query);
    first.signal("STOP");
    let second = Server::spawn(follow(&dir, &cluster, "b", query));
    second.wait_stderr("up to date with 10 exchanges");
    cluster.wait_committed("away", 10);
    // After a restart, it commits, and learns that it has lost the partition.
    fs::remove_file(dir.join("pipe.yaml")).unwrap();
    dir.write("pipe.yaml", EMPTY);
    writer.write_all(EMPTY).unwrap();
    drop(writer);
    first.signal("CONT");
    first.wait_stderr("no longer assigned to this member");
    fill(&cluster, 1, &shop[half..]);
    cluster.wait_committed("away", shop.lines().count() as i64);
    for member in [first, second] {
        member.stop().expect_code(0);
    }
    assert!(!dir.read("a").contains("claim"));
    let both = merged(&dir, &["a", "b"]);
    assert!(!both.err().contains("ignored"), "{both}");
    assert_eq!(both.out(), of_file(&dir, &shop));
}
