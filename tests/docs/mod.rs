//! Checks the documentation against the programs: runs the examples of the README and the manual
//! pages, and compares their flags with `--help`.

mod examples;
mod pages;

use std::collections::BTreeSet;
use std::fs;

use crate::harness::{Dir, root};

/// Runs every example of a file, and reports all failures.
#[track_caller]
fn run_examples(file: &str) {
    let blocks = examples::blocks_of(file, &fs::read_to_string(root().join(file)).unwrap());
    assert!(!blocks.is_empty(), "{file} has no example");
    let runnable = blocks.iter().filter(|block| block.can_run());
    let failures: Vec<String> = runnable.filter_map(|block| block.run().err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The page and the help of a program have the same flags.
#[track_caller]
fn compare_flags(program: &str, subcommands: &[&str]) {
    let dir = Dir::new();
    let mut known = BTreeSet::new();
    for path in std::iter::once(None).chain(subcommands.iter().map(Some)) {
        for flag in ["--help", "-h"] {
            let run = dir.program(program).args(path).arg(flag).run().expect_code(0);
            known.extend(pages::flags_of_help(&run.out()));
        }
    }
    let page = fs::read_to_string(root().join("man").join(format!("{program}.1"))).unwrap();
    let told = pages::flags_of_page(&page);
    let missing: Vec<_> = known.difference(&told).collect();
    let invented: Vec<_> = told.difference(&known).collect();
    assert!(missing.is_empty(), "man/{program}.1 lacks {missing:?}");
    assert!(invented.is_empty(), "man/{program}.1 tells of {invented:?}, which {program} lacks");
    for section in
        ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "FILES", "EXIT STATUS", "EXAMPLES"]
    {
        assert!(pages::section(&page, section).is_some(), "man/{program}.1 lacks {section}");
    }
}

macro_rules! documented {
    ($($name:ident: $program:literal $subcommands:expr;)*) => {$(
        mod $name {
            #[test]
            fn page_and_help_agree() {
                super::compare_flags($program, &$subcommands);
            }

            #[test]
            fn examples_run() {
                super::run_examples(concat!("man/", $program, ".1"));
            }
        }
    )*};
}

documented! {
    hmt: "hmt" [];
    record: "hmt-record" [];
    build: "hmt-build" [];
    merge: "hmt-merge" [];
    mock: "hmt-mock" [];
    replay: "hmt-replay" ["serve", "send"];
}

/// The help texts as last reviewed; `INSTA_UPDATE=always cargo test help_texts` accepts new ones.
#[test]
fn help_texts_are_as_reviewed() {
    let dir = Dir::new();
    let commands: [&[&str]; 8] = [
        &["hmt"],
        &["hmt-record"],
        &["hmt-build"],
        &["hmt-merge"],
        &["hmt-mock"],
        &["hmt-replay"],
        &["hmt-replay", "serve"],
        &["hmt-replay", "send"],
    ];
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for command in commands {
            for flag in ["-h", "--help"] {
                let run =
                    dir.program(command[0]).args(&command[1..]).arg(flag).run().expect_code(0);
                insta::assert_snapshot!(format!("{}{flag}", command.join("-")), run.out());
            }
        }
    });
}

#[test]
fn examples_of_the_format_pages_run() {
    run_examples("man/hmt-exchange.5");
    run_examples("man/hmt-spec.5");
    run_examples("man/hmt-pipelines.7");
}

#[test]
fn examples_of_the_readme_run() {
    run_examples("README.md");
}

/// Every extension key that the code writes or reads is documented.
#[test]
fn extension_keys_are_defined() {
    let page = fs::read_to_string(root().join("man/hmt-spec.5")).unwrap();
    let defined = pages::defined_keys(&page);
    let used = pages::keys_in_code(&root().join("lib/src"));
    let missing: Vec<_> = used.difference(&defined).collect();
    let invented: Vec<_> = defined.difference(&used).collect();
    assert!(missing.is_empty(), "man/hmt-spec.5 does not define {missing:?}");
    assert!(invented.is_empty(), "man/hmt-spec.5 defines {invented:?}, which no code knows");
}

#[test]
fn every_page_is_mentioned_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for entry in fs::read_dir(root().join("man")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(readme.contains(&format!("man/{name}")), "README.md does not tell of man/{name}");
    }
}
