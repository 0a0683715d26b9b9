//! The flags and keys in a manual page in mdoc, a help text and the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The lines of a section of a page.
pub fn section<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    let start = page.find(&format!("\n.Sh {name}\n"))? + 1;
    let rest = &page[start..];
    Some(rest.find("\n.Sh ").map_or(rest, |end| &rest[..end]))
}

/// The flags in the items of OPTIONS: `.It Fl o , Fl -out Ar locator` has `-o` and `--out`.
pub fn flags_of_page(page: &str) -> BTreeSet<String> {
    let options = section(page, "OPTIONS").expect("the page has OPTIONS");
    let mut flags = BTreeSet::new();
    for line in options.lines().filter(|line| line.starts_with(".It ")) {
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            if word == "Fl" {
                flags.extend(words.next().map(|flag| format!("-{flag}")));
            }
        }
    }
    flags
}

/// The flags that clap lists: indented by at most six columns, as `-o, --out <LOCATOR>`.
pub fn flags_of_help(help: &str) -> BTreeSet<String> {
    let mut flags = BTreeSet::new();
    for line in help.lines() {
        let text = line.trim_start();
        if line.len() - text.len() > 6 || !text.starts_with('-') {
            continue;
        }
        for word in text.split_whitespace() {
            let name = word.split(['=', '[']).next().unwrap_or_default();
            let Some(flag) = name.strip_suffix(',').or(Some(name)).filter(|f| f.starts_with('-'))
            else {
                break;
            };
            flags.insert(flag.to_owned());
        }
    }
    flags
}

/// The keys that hmt-spec(5) defines: `.It Cm x-hmt-replay`.
pub fn defined_keys(page: &str) -> BTreeSet<String> {
    let items = page.lines().filter_map(|line| line.strip_prefix(".It Cm x-hmt"));
    items
        .map(|rest| format!("x-hmt{}", rest.split_whitespace().next().unwrap_or_default()))
        .collect()
}

/// The extension keys in string literals of the code, without header names, which look the same.
pub fn keys_in_code(folder: &Path) -> BTreeSet<String> {
    const HEADERS: [&str; 3] = ["x-hmt-source", "x-hmt-scheme", "x-hmt-violations"];
    let mut keys = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            keys.extend(keys_in_code(&path));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, _) in code.match_indices("\"x-hmt") {
            let name = code[at + 1..].split('"').next().unwrap_or_default();
            let is_key = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            if is_key && !HEADERS.contains(&name) {
                keys.insert(name.to_owned());
            }
        }
    }
    keys
}
