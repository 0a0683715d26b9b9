//! The initial spec of `-a`, and what becomes of it.

use std::path::Path;

use anyhow::Context as _;
use hmt_core::infer::{Builder, Options};
use hmt_core::merge::{self, Policy};
use hmt_core::spec::{Document, Version, check_refs, load_file};
use serde_json::{Map, Value, json};

use super::args::Config;

/// Loads an initial spec.
///
/// # Errors
/// No spec, or one with a broken reference.
pub(crate) fn load(path: &Path) -> anyhow::Result<Document> {
    let document = load_file(path)?;
    check_refs(&document)?;
    Ok(document)
}

/// The spec of what was folded, united with the initial one if there is any.
///
/// # Errors
/// The two cannot be united.
pub(crate) fn document(
    builder: Builder,
    initial: Option<Document>,
    config: &Config,
) -> anyhow::Result<Document> {
    let options = Options {
        title: config.title.clone(),
        templates: initial.as_ref().map(templates).unwrap_or_default(),
    };
    let mut built = Document {
        root: builder.finalise(&options),
        source: "the inferred spec".to_owned(),
        version: Version::V3_0,
        warnings: Vec::new(),
    };
    let Some(initial) = initial else { return Ok(built) };
    let (source, version) = (initial.source.clone(), initial.version);
    below_its_servers(&mut built, &initial);
    let root = merge::specs(&[initial, built], Policy::Widen)
        .with_context(|| format!("cannot unite {source} with what was inferred"))?;
    Ok(Document { root, source, version, warnings: Vec::new() })
}

/// The path templates of a spec, each below the base path of each of its servers.
fn templates(initial: &Document) -> Vec<String> {
    let paths = initial.root.get("paths").and_then(|paths| paths.as_object());
    let bases = base_paths(initial);
    paths
        .into_iter()
        .flatten()
        .flat_map(|(template, _)| bases.iter().map(move |base| format!("{base}{template}")))
        .collect()
}

/// The paths of the servers' URLs, longest first, without a slash at the end; an empty one where there is no other.
fn base_paths(document: &Document) -> Vec<String> {
    let mut all: Vec<String> = servers(document)
        .iter()
        .filter_map(|server| server.get("url")?.as_str())
        .map(|url| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            let path = if url.contains("://") {
                rest.find('/').map_or("", |at| &rest[at..])
            } else {
                rest
            };
            path.trim_end_matches('/').to_owned()
        })
        .collect();
    if all.is_empty() {
        all.push(String::new());
    }
    all.sort_by_key(|base| std::cmp::Reverse(base.len()));
    all.dedup();
    all
}

/// Takes the initial spec's base path off the paths that were built, where all of them have it: the two then speak of one path
/// by one name.
fn below_its_servers(built: &mut Document, initial: &Document) {
    let bases = base_paths(initial);
    let [base] = bases.as_slice() else { return };
    let Some(paths) = built.root.get("paths").and_then(|paths| paths.as_object()) else { return };
    let under =
        |path: &String| path.strip_prefix(base.as_str()).is_some_and(|rest| rest.starts_with('/'));
    if base.is_empty() || paths.is_empty() || !paths.keys().all(under) {
        return;
    }
    let stripped: Map<_, _> =
        paths.iter().map(|(path, item)| (path[base.len()..].to_owned(), item.clone())).collect();
    built.root["paths"] = stripped.into();
    let known = servers(initial);
    let mut all = known.clone();
    for server in servers(built) {
        let url = server["url"].as_str().unwrap_or_default();
        let below = json!({"url": format!("{url}{base}")});
        if !known
            .iter()
            .any(|known| known["url"].as_str().is_some_and(|known| known.starts_with(url)))
        {
            all.push(below);
        }
    }
    built.root["servers"] = all.into();
}

fn servers(document: &Document) -> Vec<Value> {
    document.root.get("servers").and_then(Value::as_array).cloned().unwrap_or_default()
}
